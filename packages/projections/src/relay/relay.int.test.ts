import type { TenantId } from "@carillon/domain";
import { type Position, routeOf, type StoredEvent } from "@carillon/platform";
import {
  busContents,
  busCount,
  enrollTenant,
  enrollUser,
  type Pipeline,
  type Running,
  startPipeline,
  type TestServer,
  test,
  until,
} from "@carillon/testkit";
import { afterAll, beforeEach, expect } from "vitest";

let pipeline: Pipeline;
let nats: TestServer;
let tenants: TenantId[];
let relays: Running[] = [];
let people = 0;

test.beforeAll(async ({ natsServer }) => {
  nats = natsServer;
  pipeline = await startPipeline({ natsUrl: nats.url });
  tenants = await Promise.all(
    ["north", "south", "east"].map((slug) => enrollTenant(pipeline.eventLog, slug)),
  );
});
afterAll(() => pipeline.stop());

beforeEach(() => async () => {
  for (const relay of relays) await relay.stop();
  relays = [];
});

const startRelay = () => {
  const relay = pipeline.startRelay();
  relays.push(relay);
  return relay;
};

const enrollPeople = (count: number) =>
  Promise.all(
    Array.from({ length: count }, () => {
      people++;
      return enrollUser(pipeline.eventLog, tenants[people % tenants.length] as TenantId, `person-${people}`);
    }),
  );

async function logContents(): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const event of pipeline.eventLog.readAll(undefined)) events.push(event);
  return events;
}

/** The whole log is on the bus: each event once, in order, linked to the one before it in its partition. */
async function expectBusToEqualLog() {
  const log = await logContents();
  await until("all is on the bus", async () => (await busCount(pipeline.bus)) >= log.length);
  const previous = new Map<number, Position>();
  const linked = log.map((event) => {
    const partition = routeOf(event)?.partition ?? -1;
    const before = previous.get(partition) ?? null;
    previous.set(partition, event.position);
    return { ...event, previous: before };
  });
  expect(await busContents(pipeline.bus)).toEqual(linked);
}

test("every event comes to the bus once, in order, and knows the one before it", async () => {
  startRelay();
  await enrollPeople(50);
  await expectBusToEqualLog();
});

test("a relay that starts again goes on where it ended", async () => {
  await startRelay().stop();
  await enrollPeople(50);
  startRelay();
  await expectBusToEqualLog();
});

test("two relays at once make neither duplicates nor disorder", async () => {
  await enrollPeople(200);
  startRelay();
  startRelay();
  await enrollPeople(300);
  await expectBusToEqualLog();
});

test("a bus that lost its stream is filled again, also while nothing new is written", async () => {
  startRelay();
  await expectBusToEqualLog();
  const manager = await pipeline.bus.jetstreamManager();
  await manager.streams.delete("EVENTS");
  await expectBusToEqualLog();
});

test("a purged stream is filled again", async () => {
  startRelay();
  await expectBusToEqualLog();
  const manager = await pipeline.bus.jetstreamManager();
  await manager.streams.purge("EVENTS");
  await expectBusToEqualLog();
});

test("a broker that is killed in the middle gets every event once", async () => {
  await enrollPeople(500);
  startRelay();
  const written = enrollPeople(500);
  await nats.kill9();
  await nats.restart();
  await written;
  await expectBusToEqualLog();
});

test("an event log that is killed in the middle loses nothing on the bus", async () => {
  startRelay();
  await enrollPeople(100);
  await pipeline.eventStore.kill9();
  await pipeline.eventStore.restart();
  await enrollPeople(100);
  await expectBusToEqualLog();
});
