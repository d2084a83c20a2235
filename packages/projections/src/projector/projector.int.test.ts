import {
  accept,
  type Decider,
  type DomainEvent,
  instantOf,
  type TenantId,
  type UserId,
  userIdOf,
} from "@carillon/domain";
import { commandContext, type Position, partitionOf, routeOf, type StoredEvent } from "@carillon/platform";
import {
  busContents,
  busCount,
  enrollTenant,
  enrollUser,
  type KillablePipeline,
  passwords,
  type Running,
  test,
  until,
} from "@carillon/testkit";
import { beforeEach, describe, expect } from "vitest";
import { projections } from "../read-models/all-projections.ts";
import { type Applied, applyEvents, readCheckpoint, type Shard } from "./apply-events.ts";
import { skipPoison } from "./poison.ts";
import { readerOf } from "./reader-of.ts";
import { projectionStatus } from "./status.ts";

const { directory } = projections;

let pipeline: KillablePipeline;
let tenantId: TenantId;
let tenants = 0;
let running: Running[] = [];
/** How often each shard's events took effect in this test. */
let applied: Map<number, number>;

test.beforeAll(({ killable }) => {
  pipeline = killable;
});

// Every test has a school of its own, alone in its partition, and a bus without readers.
beforeEach(async () => {
  applied = new Map();
  tenantId = await enrollTenant(pipeline.eventLog, `school-${tenants++}`);
  return async () => {
    for (const one of running) await one.stop();
    running = [];
  };
});

const shard = (): Shard => ({ projection: directory, partition: partitionOf(tenantId) });
const isHere = (event: StoredEvent) => routeOf(event)?.partition === shard().partition;
const db = () => pipeline.projectorDb("live");

const start = (one: Running) => {
  running.push(one);
  return one;
};
const startRelay = () => start(pipeline.startRelay());
const startProjector = () =>
  start(
    pipeline.startProjector([directory], {
      applied: ({ partition }: Shard, { count }: Applied) =>
        applied.set(partition, (applied.get(partition) ?? 0) + count),
    }),
  );

const appliedHere = () => applied.get(partitionOf(tenantId)) ?? 0;

async function enrollPeople(count: number, prefix: string): Promise<Position> {
  const written = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      enrollUser(pipeline.eventLog, tenantId, `${prefix}-${index}`),
    ),
  );
  let last = 0n;
  for (const { position } of written) if (position > last) last = position;
  return last;
}

const people = async (atLeast?: Position) => {
  const { value, stale } = await pipeline.live.read(
    tenantId,
    { projection: "directory", atLeast, patienceMs: 60_000 },
    (tx) =>
      tx
        .selectFrom("directory.people")
        .select(({ fn }) => fn.countAll<string>().as("count"))
        .execute(),
  );
  expect(stale).toBe(false);
  return Number(value[0]?.count);
};

/** The events of this test's partition that the log has and the read model had not when the test began. */
async function waiting(): Promise<number> {
  const checkpoint = await readCheckpoint(db(), shard());
  let count = 0;
  for await (const event of pipeline.eventLog.readAll(checkpoint ?? undefined)) if (isHere(event)) count++;
  return count;
}

async function allOnBus() {
  const head = await pipeline.eventLog.head();
  await until("all is on the bus", async () => {
    const manager = await pipeline.bus.jetstreamManager();
    const last = await manager.streams.getMessage("EVENTS", { last_by_subj: "events.>" });
    return BigInt(last.json<{ position: string }>().position) === head;
  });
}

async function forgetReader() {
  const manager = await pipeline.bus.jetstreamManager();
  await manager.consumers.delete("EVENTS", readerOf(shard()));
}

describe("every event takes effect exactly once", () => {
  test("where the bus delivers everything again while the projector runs", async () => {
    startRelay();
    startProjector();
    expect(await people(await enrollPeople(50, "a"))).toBe(50);
    await forgetReader();
    expect(await people(await enrollPeople(50, "b"))).toBe(100);
    expect(await waiting()).toBe(0);
  });

  test("where a projector died between its commit and its acknowledgement", async () => {
    const relay = startRelay();
    const position = await enrollPeople(50, "a");
    await allOnBus();
    await relay.stop();
    const expected = await waiting();
    const mine = (await busContents(pipeline.bus)).filter(isHere);
    await readCheckpoint(db(), shard());
    const dead = await applyEvents(db(), shard(), mine, new Set());
    expect(dead.count).toBe(expected);

    startProjector();
    expect(await people(position)).toBe(50);
    startRelay();
    expect(await people(await enrollPeople(1, "b"))).toBe(51);
    await expect.poll(appliedHere).toBe(2);
  });

  test("where two projectors run at once", async () => {
    startRelay();
    const expected = await waiting();
    startProjector();
    startProjector();
    expect(await people(await enrollPeople(300, "a"))).toBe(300);
    await expect.poll(appliedHere).toBe(expected + 600);
  });

  test("where events are missing on the bus", async () => {
    const relay = startRelay();
    const position = await enrollPeople(50, "a");
    await allOnBus();
    await relay.stop();
    const manager = await pipeline.bus.jetstreamManager();
    const { state } = await manager.streams.info("EVENTS");
    for (let seq = state.last_seq - 60; seq < state.last_seq; seq += 3) {
      await manager.streams.deleteMessage("EVENTS", seq);
    }
    const expected = await waiting();
    startProjector();
    expect(await people(position)).toBe(50);
    await expect.poll(appliedHere).toBe(expected);
  });

  test("where the bus lost everything while the projector was behind", async () => {
    const relay = startRelay();
    const position = await enrollPeople(50, "a");
    await allOnBus();
    await relay.stop();
    const manager = await pipeline.bus.jetstreamManager();
    await manager.streams.delete("EVENTS");
    const expected = await waiting();
    startProjector();
    startRelay();
    expect(await people(position)).toBe(50);
    await expect.poll(appliedHere).toBe(expected);
  });

  test("where the bus loses everything while the projector runs", async () => {
    startRelay();
    startProjector();
    const expected = (await waiting()) + 2 * 50;
    expect(await people(await enrollPeople(25, "a"))).toBe(25);
    const manager = await pipeline.bus.jetstreamManager();
    await manager.streams.delete("EVENTS");
    expect(await people(await enrollPeople(25, "b"))).toBe(50);
    await expect.poll(() => busCount(pipeline.bus)).toBeGreaterThan(50);
    expect(appliedHere()).toBeLessThanOrEqual(expected);
  });

  test("where Postgres, the bus and the event log are killed in the middle", async () => {
    startRelay();
    startProjector();
    let last: Position = 0n;
    for (const [index, server] of [pipeline.postgres, pipeline.nats, pipeline.eventStore].entries()) {
      const written = enrollPeople(200, `round-${index}`);
      if (server === pipeline.eventStore) await written;
      await server.kill9();
      await server.restart();
      last = await written;
    }
    expect(await people(last)).toBe(600);
    expect(await waiting()).toBe(0);
  });
});

/** Writes an event as it is, past every rule. */
const append = (id: UserId, event: { type: string; data: unknown }) => {
  const decider: Decider<null, DomainEvent, undefined, "user"> = {
    category: "user",
    initial: undefined,
    decide: () => accept(event as DomainEvent),
    evolve: () => undefined,
  };
  const context = commandContext(tenantId, "system:test", instantOf(new Date()));
  return pipeline.eventLog.execute(decider, tenantId, id, [{ command: null, context }], { expectNew: true });
};

const stoppedHere = async () => {
  const statuses = await projectionStatus(pipeline.postgres.urlAs("carillon_reader", "reader", "live"));
  return statuses.find(
    ({ projection, partition }) => projection === "directory" && partition === shard().partition,
  )?.stoppedAt;
};

const skipHere = (position: Position) =>
  skipPoison(pipeline.postgres.urlAs("carillon_projector", passwords.projectorPassword, "live"), {
    projection: "directory",
    partition: shard().partition,
    position,
    by: "operator-1",
  });

describe("an event that cannot be applied", () => {
  const username = "grace";
  const profile = { username, name: "Secret Name", email: null, roles: ["student"] };
  const poisons = [
    ["because it is unreadable", { type: "UserEnrolled", data: { username: 5 } }, "UserEnrolled version 1"],
    ["because the database refuses its row", { type: "UserEnrolled", data: profile }, "SQLSTATE 23505"],
  ] as const;

  test.each(poisons)(
    "stops its partition right before it, no other, and can be skipped: %s",
    async (_, event, reason) => {
      startRelay();
      await enrollUser(pipeline.eventLog, tenantId, username);
      await enrollPeople(20, "before");
      const poison = await append(userIdOf(tenantId, "somebody-else"), event);
      const after = await enrollPeople(5, "after");
      await allOnBus();
      startProjector();
      await until("it stops", async () => (await stoppedHere()) !== null);

      expect(await stoppedHere()).toMatchObject({
        position: String(poison.position),
        stream: poison.stream,
        revision: 0,
        eventType: "UserEnrolled",
        error: expect.stringContaining(reason),
      });
      expect(JSON.stringify(await stoppedHere())).not.toContain("Secret Name");
      expect(await people()).toBe(21);

      const stopped = shard().partition;
      const school = tenantId;
      do tenantId = await enrollTenant(pipeline.eventLog, `school-${tenants++}`);
      while (shard().partition === stopped);
      expect(await people(await enrollPeople(1, "elsewhere"))).toBe(1);

      tenantId = school;
      await expect(skipHere(poison.position + 1n)).rejects.toThrow("has not stopped at position");
      await skipHere(poison.position);
      expect(await people(after)).toBe(26);
      expect(await stoppedHere()).toBeNull();
      await expect(skipHere(poison.position)).rejects.toThrow("has not stopped at position");
    },
  );
});
