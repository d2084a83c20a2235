import { instantOf, type SubmissionId, submissionDecider, type TenantId } from "@carillon/domain";
import {
  commandContext,
  type DeadLetter,
  type DeadLetters,
  encodeEnvelope,
  openDeadLetters,
  publishWork,
  workSubject,
} from "@carillon/platform";
import type { Running } from "@carillon/testkit";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { done, type JobHandler, type Outcome } from "./queue/job-handler.ts";
import {
  eventsOf,
  handIn,
  openSchool,
  rightAnswers,
  type School,
  startTestPlatform,
  store,
  type TestPlatform,
} from "./testing/school.ts";

let platform: TestPlatform;
let letters: DeadLetters;
let schools = 0;
const running: Running[] = [];

beforeAll(async () => {
  platform = await startTestPlatform();
  letters = await openDeadLetters(platform.bus);
});
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});
afterAll(() => platform.stop());

const start: TestPlatform["startProcessing"] = (...args) => {
  const one = platform.startProcessing(...args);
  running.push(one);
  return one;
};

const newSchool = () => openSchool(platform.eventLog, `school-${++schools}`);

async function handInAnswers(school: School, text: string, key = "first") {
  await store(platform.content, school.tenantId, text);
  return handIn(platform.eventLog, school, key, text);
}

const grades = (school: School, id: SubmissionId) =>
  eventsOf(platform.eventLog, school, id, "SubmissionGraded");
const gradeCount = async (school: School, id: SubmissionId) => (await grades(school, id)).length;

async function deadOf({ tenantId }: School): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  for await (const letter of letters.list({ tenantId })) found.push(letter);
  return found;
}

const workLeft = async () =>
  (await (await platform.bus.jetstreamManager()).streams.info("WORK")).state.messages;

test("answers are graded by the key, as a consequence of their arrival", async () => {
  start();
  const school = await newSchool();
  const half = JSON.stringify({ answers: { q1: "a", q2: 40 } });
  const id = await handInAnswers(school, half);
  await expect.poll(() => gradeCount(school, id)).toBe(1);
  const [graded] = await grades(school, id);
  const [received] = await eventsOf(platform.eventLog, school, id, "SubmissionReceived");
  expect(graded).toMatchObject({
    data: { rawScore: 50, score: 50, grader: "answer_key", feedback: "1 of 2 answers are right." },
    metadata: {
      actor: "system:processing",
      causationId: received?.id,
      correlationId: received?.metadata.correlationId,
    },
  });
});

test("work that comes twice is graded once", async () => {
  const school = await newSchool();
  const id = await handInAnswers(school, rightAnswers);
  const [received] = await eventsOf(platform.eventLog, school, id, "SubmissionReceived");
  if (!received) throw new Error("nothing was received");
  const subject = workSubject("work", { handler: "grade", tenantId: school.tenantId });
  const envelope = encodeEnvelope({ ...received, previous: null });
  for (const time of ["first", "second"]) await publishWork(platform.bus, subject, envelope, `${id}.${time}`);
  start();
  start();
  await expect.poll(workLeft).toBe(0);
  expect(await gradeCount(school, id)).toBe(1);
});

test("a teacher's grade stays", async () => {
  const school = await newSchool();
  const id = await handInAnswers(school, rightAnswers);
  const at = instantOf(new Date());
  await platform.eventLog.execute(submissionDecider, school.tenantId, id, [
    {
      command: { type: "GradeSubmission", score: 12, feedback: null },
      context: commandContext(school.tenantId, "system:teacher", at),
    },
  ]);
  start();
  const later = await handInAnswers(school, rightAnswers, "second");
  await expect.poll(() => gradeCount(school, later)).toBe(1);
  await expect.poll(workLeft).toBe(0);
  expect((await grades(school, id)).map(({ data }) => data.score)).toEqual([12]);
});

test("content that is missing is dead after five tries, and graded once it is there and replayed", async () => {
  let failed = 0;
  start({ observer: { done: () => {}, failed: () => failed++ } });
  const school = await newSchool();
  const id = await handIn(platform.eventLog, school, "first", rightAnswers);
  await expect.poll(() => deadOf(school)).toHaveLength(1);
  const [letter] = await deadOf(school);
  if (!letter) throw new Error("there is no letter");
  expect(failed).toBe(5);
  expect(letter).toMatchObject({
    handler: "grade",
    tries: 5,
    reason: "The content of this submission is not in the store.",
    event: { type: "SubmissionReceived" },
  });
  expect(letter.firstFailedAt < letter.lastFailedAt).toBe(true);

  await letters.replay(letter);
  // It dies again, as a letter of its own, after as many tries.
  await expect.poll(() => failed).toBe(10);
  await expect.poll(() => deadOf(school)).toMatchObject([{ tries: 5 }]);

  await store(platform.content, school.tenantId, rightAnswers);
  for (const again of await deadOf(school)) await letters.replay(again);
  await expect.poll(() => gradeCount(school, id)).toBe(1);
  expect(await deadOf(school)).toEqual([]);
});

test.each([
  ["what is no JSON", "my answers"],
  ["JSON that is no answers", '{"answers": 42}'],
])("%s is dead at once, in words", async (_, text) => {
  start();
  const school = await newSchool();
  const id = await handInAnswers(school, text);
  await expect
    .poll(() => deadOf(school))
    .toMatchObject([{ tries: 1, reason: expect.stringContaining("The file does not hold answers") }]);
  expect(await gradeCount(school, id)).toBe(0);
});

test("a letter that is given up says who did", async () => {
  start();
  const school = await newSchool();
  await handInAnswers(school, "no answers");
  await expect.poll(() => deadOf(school)).toHaveLength(1);
  for (const letter of await deadOf(school)) await letters.discard(letter, "Ada", new Date());
  expect(await deadOf(school)).toEqual([]);
  const given: unknown[] = [];
  for await (const letter of letters.discarded({ tenantId: school.tenantId })) given.push(letter);
  expect(given).toMatchObject([
    { discardedBy: "Ada", handler: "grade", event: { type: "SubmissionReceived" } },
  ]);
});

test("content that has not come in time lapses; what may still come does not", async () => {
  start();
  const school = await newSchool();
  const past = await handIn(platform.eventLog, school, "past", rightAnswers, new Date(Date.now() - 1_000));
  const soon = await handIn(platform.eventLog, school, "soon", rightAnswers, new Date(Date.now() + 2_000));
  const lapses = (id: SubmissionId) => eventsOf(platform.eventLog, school, id, "SubmissionLapsed");
  await expect.poll(() => lapses(past)).toHaveLength(1);
  await expect.poll(() => lapses(soon)).toHaveLength(1);
  const [committed] = await eventsOf(platform.eventLog, school, soon, "SubmissionCommitted");
  const [lapsed] = await lapses(soon);
  expect(String(lapsed?.data.lapsedAt) >= String(committed?.data.uploadBy)).toBe(true);
});

test("an event log that is away costs no try", async () => {
  const school = await newSchool();
  const id = await handInAnswers(school, rightAnswers);
  const [received] = await eventsOf(platform.eventLog, school, id, "SubmissionReceived");
  if (!received) throw new Error("nothing was received");
  await platform.eventStore.kill9();
  const subject = workSubject("work", { handler: "grade", tenantId: school.tenantId });
  await publishWork(platform.bus, subject, encodeEnvelope({ ...received, previous: null }), `${id}.away`);
  start({ backOffMs: [] });
  await expect.poll(async () => (await attempts()) > 0).toBe(true);
  await platform.eventStore.restart();
  await expect.poll(() => gradeCount(school, id)).toBe(1);
  expect(await deadOf(school)).toEqual([]);
});

/** How many items are delivered and not answered, or were put back. */
async function attempts(): Promise<number> {
  const manager = await platform.bus.jetstreamManager();
  let count = 0;
  for await (const { num_ack_pending } of manager.consumers.list("WORK")) count += num_ack_pending;
  return count;
}

test("ten thousand items of one tenant do not delay another's one", async () => {
  const [flood, other] = [await newSchool(), await newSchool()];
  const order: TenantId[] = [];
  const many = 10_000;
  const template = await firstReceived(flood);
  const send = (school: School, key: string) =>
    publishWork(
      platform.bus,
      workSubject("work", { handler: "count", tenantId: school.tenantId }),
      encodeEnvelope({ ...template, id: key, previous: null }),
      `${school.tenantId}.${key}`,
    );
  for (let from = 0; from < many; from += 500) {
    await Promise.all(Array.from({ length: 500 }, (_, index) => send(flood, `item-${from + index}`)));
  }
  const gate = Promise.withResolvers<void>();
  let begun = 0;
  const counting = countingHandler(async ({ id }) => {
    if (id === "only") order.push(other.tenantId);
    else {
      if (++begun > 1_000) await gate.promise;
      order.push(flood.tenantId);
    }
    return done;
  });
  start({}, [counting]);
  await expect.poll(() => order.length).toBe(1_000);
  await send(other, "only");
  // All places are taken and the flood's next item is in the line; then the other's joins it.
  const manager = await platform.bus.jetstreamManager();
  const delivered = async () =>
    (await manager.consumers.info("WORK", `count-${other.tenantId}`)).num_ack_pending;
  await expect.poll(() => delivered().catch(() => 0)).toBe(1);
  gate.resolve();
  await expect.poll(() => order.length, { timeout: 90_000 }).toBe(many + 1);
  // Those that had a turn, and one that was in the line.
  expect(order.indexOf(other.tenantId)).toBeLessThanOrEqual(1_000 + 8 + 1);
});

async function firstReceived(school: School) {
  const id = await handIn(platform.eventLog, school, "template", rightAnswers);
  const [received] = await eventsOf(platform.eventLog, school, id, "SubmissionReceived");
  if (!received) throw new Error("nothing was received");
  return received;
}

/** A handler whose work the test sends itself. */
const countingHandler = (handle: (event: { id: string }) => Promise<Outcome>): JobHandler => ({
  name: "count",
  category: "submission",
  eventType: "SubmissionLapsed",
  wants: () => false,
  dueAt: () => undefined,
  handle,
});
