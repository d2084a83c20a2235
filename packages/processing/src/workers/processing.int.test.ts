import type { SubmissionId } from "@carillon/domain";
import {
  type Bus,
  type ContentStore,
  connectBus,
  connectEventLog,
  type EventLog,
  openContent,
  type Runtime,
} from "@carillon/platform";
import { runtimes, type Settings, startWorker, test } from "@carillon/testkit";
import { afterAll, expect } from "vitest";
import { eventsOf, handIn, openSchool, rightAnswers, type School, store } from "../testing/school.ts";

/** Work whose content is not there yet is tried again after one, five and thirty seconds. */
const patiently = { timeout: 90_000 };

let settings: Settings;
let eventLog: EventLog;
let bus: Bus;
let content: ContentStore;

test.beforeAll(async ({ servers }) => {
  settings = { ...servers.log, DATABASE_URL: servers.reader("live") };
  eventLog = connectEventLog(servers.log.EVENTSTORE_URL);
  bus = await connectBus(servers.log.NATS_URL, "test");
  content = openContent(bus);
  await servers.startRelay();
});
afterAll(async () => {
  await bus.close();
  eventLog.close();
});

const start = (runtime: Runtime) => startWorker(runtime, "processing", settings);

const gradeCount = async (school: School, id: SubmissionId) =>
  (await eventsOf(eventLog, school, id, "SubmissionGraded")).length;

/** How many of these have exactly one grade; throws where one has more. */
async function gradedOnce(school: School, ids: readonly SubmissionId[]): Promise<number> {
  const counts = await Promise.all(ids.map((id) => gradeCount(school, id)));
  expect(Math.max(...counts)).toBeLessThanOrEqual(1);
  return counts.reduce((sum, count) => sum + count, 0);
}

test.each(runtimes)(
  "on %s, a worker that is killed in the middle loses nothing and does nothing twice",
  async (runtime) => {
    const school = await openSchool(eventLog, `killed-on-${runtime}`);
    await store(content, school.tenantId, rightAnswers);
    let worker = await start(runtime);
    const ids = await Promise.all(
      Array.from({ length: 300 }, (_, index) => handIn(eventLog, school, `attempt-${index}`, rightAnswers)),
    );
    // However quick the worker is, this one cannot be done when it is killed.
    const late = rightAnswers.replace("42", "42.1");
    ids.push(await handIn(eventLog, school, "late", late));
    await expect.poll(() => gradedOnce(school, ids)).toBeGreaterThan(0);
    await worker.kill9();
    expect(await gradedOnce(school, ids)).toBeLessThan(ids.length);
    await store(content, school.tenantId, late);
    worker = await start(runtime);
    await expect.poll(() => gradedOnce(school, ids), patiently).toBe(ids.length);

    // It counts what it has done after the log has it.
    const ask = async () => (await fetch(`${worker.url}/metrics`)).text();
    await expect.poll(ask).toMatch(/carillon_work_done_total\{handler="grade",.*\} [1-9]/);
    const metrics = await ask();
    expect(metrics).toMatch(/carillon_work_dead\{handler="grade",.*\} 0/);
    expect(metrics).toMatch(/carillon_work_lag_seconds\{handler="lapse",.*\} 0/);
    expect(metrics).toMatch(/carillon_work_seconds_count\{.*handler="grade"\} [1-9]/);
    expect(await worker.stop()).toBe(0);
  },
);

test.each(["WORK", "EVENTS"])(
  "a lost stream %s is filled again, and nothing is done twice",
  async (stream) => {
    const school = await openSchool(eventLog, `lost-${stream.toLowerCase()}`);
    await store(content, school.tenantId, rightAnswers);
    const before = await handIn(eventLog, school, "before", rightAnswers);
    const worker = await start("node");
    const manager = await bus.jetstreamManager();
    const workLeft = async () => (await manager.streams.info("WORK")).state.messages;
    await expect.poll(() => gradeCount(school, before)).toBe(1);
    await expect.poll(workLeft).toBe(0);

    // This one is work already, and waits for its content, when the stream is lost.
    const late = rightAnswers.replace("42", "42.1");
    const lost = await handIn(eventLog, school, "lost", late);
    await expect.poll(workLeft).toBe(1);
    await manager.streams.delete(stream);
    await store(content, school.tenantId, late);
    const after = await handIn(eventLog, school, "after", rightAnswers);
    await expect.poll(() => gradedOnce(school, [before, lost, after]), patiently).toBe(3);
    expect(await worker.stop()).toBe(0);
  },
);
