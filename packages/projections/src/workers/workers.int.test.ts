import type { TenantId } from "@carillon/domain";
import {
  enrollTenant,
  enrollUser,
  type KillablePipeline,
  launchWorker,
  passwords,
  runtimes,
  startWorker,
  test,
} from "@carillon/testkit";
import { expect } from "vitest";

let pipeline: KillablePipeline;
test.beforeAll(({ killable }) => {
  pipeline = killable;
});

const log = () => ({ EVENTSTORE_URL: pipeline.eventStore.url, NATS_URL: pipeline.nats.url });

const projector = (role = "carillon_projector", password = passwords.projectorPassword) => ({
  ...log(),
  DATABASE_URL: pipeline.postgres.urlAs(role, password, "live"),
  PROJECTIONS: "directory,submissions",
});

const count = async (tenantId: TenantId, atLeast: bigint) => {
  const { value, stale } = await pipeline.live.read(
    tenantId,
    { projection: "directory", atLeast, patienceMs: 60_000 },
    (tx) => tx.selectFrom("directory.people").select("user_id").execute(),
  );
  expect(stale).toBe(false);
  return value.length;
};

test.each(runtimes)("on %s, relay and projector survive kill -9 and stop cleanly", async (runtime) => {
  const tenantId = await enrollTenant(pipeline.eventLog, `on-${runtime}`);
  let relay = await startWorker(runtime, "relay", log());
  let view = await startWorker(runtime, "projector", projector());

  const written = Promise.all(
    Array.from({ length: 200 }, (_, index) => enrollUser(pipeline.eventLog, tenantId, `person-${index}`)),
  );
  await Promise.all([relay.kill9(), view.kill9()]);
  relay = await startWorker(runtime, "relay", log());
  view = await startWorker(runtime, "projector", projector());
  await written;
  const { position } = await enrollUser(pipeline.eventLog, tenantId, "last");
  expect(await count(tenantId, position)).toBe(201);

  const metrics = await (await fetch(`${view.url}/metrics`)).text();
  expect(metrics).toMatch(/carillon_projection_lag_events\{projection="directory",partition="\d",.*\} 0/);
  expect(metrics).toMatch(/carillon_projection_events_total\{projection="directory",.*\} [1-9]/);
  expect(metrics).toMatch(/carillon_projection_stopped\{projection="submissions",partition="7",.*\} 0/);
  // The relay counts what the bus has confirmed, which may be later than the view has it.
  await expect
    .poll(async () => (await fetch(`${relay.url}/metrics`)).text())
    .toMatch(/carillon_relay_events_total\{.*\} [1-9]/);

  expect(await Promise.all([relay.stop(), view.stop()])).toEqual([0, 0]);
});

test.each(runtimes)("on %s, a role that could bypass row-level security is refused", async (runtime) => {
  const worker = await launchWorker(runtime, "projector", projector("carillon_owner", "owner"));
  expect(await worker.exited).toBe(78);
  expect(worker.output()).toContain("the database role carillon_owner owns tables");
});

test.each([
  ["a name that is none", "directory,nothing", '"nothing" is no projection'],
  ["projections of two databases", "directory,credentials", "different databases"],
])("%s is refused", async (_, names, reason) => {
  const worker = await launchWorker("node", "projector", { ...projector(), PROJECTIONS: names });
  expect(await worker.exited).toBe(78);
  expect(worker.output()).toContain(reason);
});

test("a projector waits for servers that are not there yet", async () => {
  await Promise.all([pipeline.postgres.kill9(), pipeline.nats.kill9()]);
  const worker = await launchWorker("node", "projector", projector());
  await Promise.all([pipeline.postgres.restart(), pipeline.nats.restart()]);
  await worker.whenReady();
  expect(await worker.stop()).toBe(0);
});
