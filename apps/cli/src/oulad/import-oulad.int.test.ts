import { streamIdOf, submissionDecider, tenantIdOf } from "@carillon/domain";
import { connectEventLog, type EventLog, type StoredEvent } from "@carillon/platform";
import { test } from "@carillon/testkit";
import { afterAll, beforeEach, expect } from "vitest";
import { importOulad } from "./import-oulad.ts";
import type { OuladTables } from "./tables.ts";

const module = { code_module: "AAA", code_presentation: "2013J" };
const students = Array.from({ length: 40 }, (_, index) => String(1000 + index));
const tables: OuladTables = {
  courses: [{ ...module, module_presentation_length: 268 }],
  assessments: [
    { ...module, id_assessment: "1752", assessment_type: "TMA", date: 19, weight: 10 },
    { ...module, id_assessment: "1757", assessment_type: "Exam", date: null, weight: 100 },
  ],
  registrations: students.map((id_student, index) => ({
    ...module,
    id_student,
    date_registration: index === 0 ? null : -index,
    date_unregistration: index % 4 === 0 ? 10 : null,
  })),
  // Some of them after the day on which they left.
  submissions: students.map((id_student, index) => ({
    id_assessment: "1752",
    id_student,
    date_submitted: index,
    is_banked: index === 1,
    score: index === 2 ? null : index,
  })),
};
const wholeYear = {
  tenant: 1,
  class: 1,
  assessments: 2,
  students: 40,
  joined: 40,
  handedIn: 40,
  scored: 39,
  left: 10,
};
const eventsOfTheYear = Object.values(wholeYear).reduce((sum, count) => sum + count);

let log: EventLog;
let school: string;
let schools = 0;

test.beforeAll(({ eventStore }) => {
  log = connectEventLog(eventStore.url);
});
afterAll(() => log?.close());
beforeEach(() => {
  school = `school-${++schools}`;
});

const runImport = (data = tables, progress = () => {}) =>
  importOulad(log, school, data, new Date(), progress);

async function eventsOfSchool(): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const event of log.readAll(undefined)) {
    if (event.stream.includes(tenantIdOf(school))) events.push(event);
  }
  return events;
}

test("a year becomes the events that it was", async () => {
  const imported = await runImport();
  expect(imported).toMatchObject({ registrations: 40, withdrawals: 10, submissions: 40, scores: 39 });
  const events = await eventsOfSchool();
  expect(events).toHaveLength(eventsOfTheYear);
  expect(imported.eventsAdded).toBe(eventsOfTheYear);
  expect(imported.position).toBe(events.at(-1)?.position);
  const recorded = events.filter(({ type }) => type === "SubmissionRecorded");
  expect(recorded).toHaveLength(40);
  expect(recorded[0]).toMatchObject({
    data: { handedInAt: "2013-10-01T12:00:00.000Z", banked: false },
    metadata: { occurredAt: "2013-10-01T12:00:00.000Z", actor: "system:import-oulad" },
  });
});

test("importing again adds nothing", async () => {
  const first = await runImport();
  expect(await runImport()).toEqual({ ...first, eventsAdded: 0 });
  expect(await eventsOfSchool()).toHaveLength(eventsOfTheYear);
});

test("an import that was broken off goes on where it was", async () => {
  let sent = 0;
  const breakOff = () => {
    if (++sent > 90) throw new Error("broken off");
  };
  await expect(runImport(tables, breakOff)).rejects.toThrow("broken off");
  const before = (await eventsOfSchool()).length;
  expect(before).toBeGreaterThan(80);
  await runImport();
  expect(await eventsOfSchool()).toHaveLength(eventsOfTheYear);
});

test("what people did since then stays as it is", async () => {
  await runImport();
  const [recorded] = (await eventsOfSchool()).filter(({ type }) => type === "SubmissionRecorded");
  const id = streamIdOf("submission", recorded?.stream ?? "");
  const context = {
    tenantId: tenantIdOf(school),
    actor: "system:test" as const,
    occurredAt: recorded?.created as never,
    correlationId: recorded?.id as string,
    causationId: null,
    commandId: recorded?.id as string,
  };
  await log.execute(submissionDecider, context.tenantId, id, [
    { command: { type: "GradeSubmission", score: 99, feedback: "Better than it looked." }, context },
  ]);
  await runImport();
  const { state } = await log.load(submissionDecider, tenantIdOf(school), id);
  expect(state?.grade).toEqual({ score: 99, feedback: "Better than it looked." });
  expect(await eventsOfSchool()).toHaveLength(eventsOfTheYear + 1);
});

test("a submission of a student who never registered stops the import and is named", async () => {
  const [first] = tables.submissions;
  if (!first) throw new Error("no submissions");
  const stranger = { ...tables, submissions: [{ ...first, id_student: "9999" }] };
  await expect(runImport(stranger)).rejects.toMatchObject({
    code: "not_a_member",
    message: expect.stringContaining("submission 1752 9999"),
  });
});
