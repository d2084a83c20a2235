import {
  type AssignmentId,
  assignmentIdOf,
  type Category,
  type ClassId,
  CountingAttempt,
  classIdOf,
  type DomainEvent,
  type Instant,
  instantOf,
  membershipIdOf,
  type ReportsDatabase,
  streamName,
  submissionIdOf,
  type TenantId,
  tenantIdOf,
  type UserId,
  userIdOf,
} from "@carillon/domain";
import { type CheckpointTables, type Database, type RecordedEvent, scopeToTenant } from "@carillon/platform";
import { connectAsProjector, connectAsReader, schoolProfile, test } from "@carillon/testkit";
import fc from "fast-check";
import type { Kysely, Transaction } from "kysely";
import { afterAll, expect } from "vitest";
import { type ClassFigures, recount } from "../../../testing/class-progress-recount.ts";
import { classProgress } from "./class-progress.ts";

let db: Kysely<CheckpointTables>;
let reports: Database<ReportsDatabase>;
let schools = 0;

test.beforeAll(async ({ databases }) => {
  db = connectAsProjector(databases, "reports");
  reports = connectAsReader<ReportsDatabase>(databases, "reports");
});
afterAll(async () => {
  await Promise.all([db.destroy(), reports.close()]);
});

const day = (days: number) => instantOf(new Date(Date.UTC(2013, 9, 1 + days, 3)));

/** A school in the making: two classes with two assessments each, and what happens in it, in order. */
function school(timeZone: string) {
  const slug = `school-${schools++}`;
  const tenantId = tenantIdOf(slug);
  const classes = ["AAA", "BBB"].map((code) => classIdOf(tenantId, code));
  const assignments = classes.flatMap((classId) =>
    ["1", "2"].map((code) => ({ classId, code, id: assignmentIdOf(classId, code) })),
  );
  const students = ["ada", "grace", "edsger"].map((name) => userIdOf(tenantId, name));
  const events: RecordedEvent[] = [];

  const happens = <Type extends DomainEvent["type"]>(
    category: Category,
    id: string,
    type: Type,
    data: Extract<DomainEvent, { type: Type }>["data"],
  ) => {
    const position = BigInt(events.length + 1);
    events.push({
      id: crypto.randomUUID(),
      type,
      data,
      stream: streamName(category, tenantId, id as never),
      revision: 0,
      position,
      created: day(0),
      metadata: {
        tenantId,
        actor: "system:test",
        occurredAt: day(0),
        correlationId: crypto.randomUUID(),
        causationId: null,
        schema: 1,
      },
    } as unknown as RecordedEvent);
  };

  happens("tenant", tenantId, "TenantEnrolled", schoolProfile(slug, timeZone));
  classes.forEach((id, index) => {
    const code = ["AAA", "BBB"][index] as string;
    happens("class", id, "ClassOpened", { code, title: code, startsOn: "2013-10-01", lengthDays: 100 });
  });
  return { tenantId, classes, assignments, students, events, happens };
}

type School = ReturnType<typeof school>;

const publish = (
  { assignments, happens }: School,
  index: number,
  dueAt: Instant | null,
  rules: { graceSeconds: number; counts: CountingAttempt } = { graceSeconds: 0, counts: "last" },
) => {
  const { id, classId, code } = at(assignments, index);
  happens("assignment", id, "AssignmentPublished", {
    code,
    title: code,
    kind: "TMA",
    weight: 12.5,
    latePolicy: { kind: "accept" },
    ...rules,
    answerKey: null,
    classId,
    dueAt,
  });
};

async function applyBatch(tenantId: TenantId, batch: readonly RecordedEvent[]) {
  await db.transaction().execute(async (tx) => {
    await scopeToTenant(tx, tenantId);
    await classProgress.apply(tx as unknown as Transaction<unknown>, tenantId, batch);
  });
}

/** What a report would show, in the form of a recount. */
const figures = (tenantId: TenantId): Promise<ClassFigures[]> =>
  reports.withTenant(tenantId, async (tx) => {
    const classes = await tx
      .selectFrom("class_progress.classes")
      .select(["class_id", "registered", "withdrawn"])
      .orderBy("code")
      .execute();
    const assessments = await tx
      .selectFrom("class_progress.assessments")
      .select([
        "class_id",
        "assignment_id",
        "due_day",
        "submitted",
        "banked",
        "late",
        "scored",
        "mean_score",
        "passed",
      ])
      .orderBy("code")
      .execute();
    return classes.map(({ class_id, ...counts }) => ({
      ...counts,
      class_id,
      assessments: assessments
        .filter((assessment) => assessment.class_id === class_id)
        .map(({ class_id: _, ...assessment }) => assessment),
    }));
  });

const index = fc.nat({ max: 11 });
const due = fc.option(fc.integer({ min: 0, max: 5 }), { freq: 4 });
// Attempts are whole days apart: the first two leave all of them as they are, the third lets a day pass.
const rules = fc.record({
  graceSeconds: fc.constantFrom(0, 86_399, 86_400),
  counts: fc.constantFrom(...CountingAttempt.options),
});
const happening = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("join" as const), student: index, of: index }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("leave" as const), student: index, of: index }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reschedule" as const), of: index, due }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("hand in" as const),
      student: index,
      of: index,
      onDay: fc.integer({ min: 0, max: 5 }),
      banked: fc.option(fc.boolean()),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("grade" as const),
      attempt: fc.nat(),
      // Few different ones, so that some are equal.
      tenths: fc.oneof(fc.constantFrom(0, 399, 400), fc.integer({ min: 0, max: 1_000 })),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("lapse" as const), attempt: fc.nat() }) },
);
type Happening = typeof happening extends fc.Arbitrary<infer Value> ? Value : never;

const at = <Item>(items: readonly Item[], wanted: number): Item => items[wanted % items.length] as Item;

function play(made: School, happenings: readonly Happening[]) {
  const attempts: {
    id: string;
    work: { assignmentId: AssignmentId; classId: ClassId; studentId: UserId };
  }[] = [];
  for (const [round, one] of happenings.entries()) {
    if (one.kind === "join" || one.kind === "leave") {
      const classId = at(made.classes, one.of);
      const studentId = at(made.students, one.student);
      const type = one.kind === "join" ? "StudentJoinedClass" : "StudentLeftClass";
      made.happens("membership", membershipIdOf(classId, studentId), type, { classId, studentId });
    } else if (one.kind === "reschedule") {
      const { id, classId } = at(made.assignments, one.of);
      const dueAt = one.due === null ? null : day(one.due);
      made.happens("assignment", id, "AssignmentRescheduled", { classId, dueAt });
    } else if (one.kind === "hand in") {
      const { id: assignmentId, classId } = at(made.assignments, one.of);
      const studentId = at(made.students, one.student);
      const work = { assignmentId, classId, studentId };
      const key = String(round);
      const id = submissionIdOf(made.tenantId, assignmentId, studentId, key);
      attempts.push({ id, work });
      if (one.banked === null) {
        const content = { sha256: "0".repeat(64), bytes: 1, name: "a", mediaType: "text/plain" };
        made.happens("submission", id, "SubmissionCommitted", {
          ...work,
          key,
          content,
          committedAt: day(one.onDay),
          dueAt: null,
          graceSeconds: 0,
          late: false,
          penaltyPercent: 0,
          uploadBy: null,
          autograded: false,
        });
      } else {
        const { banked } = one;
        made.happens("submission", id, "SubmissionRecorded", {
          ...work,
          key,
          handedInAt: day(one.onDay),
          banked,
        });
      }
    } else if (attempts.length === 0) {
    } else if (one.kind === "lapse") {
      const { id, work } = at(attempts, one.attempt);
      const lapse = { ...work, sha256: "0".repeat(64), lapsedAt: day(6) };
      made.happens("submission", id, "SubmissionLapsed", lapse);
    } else {
      const { id, work } = at(attempts, one.attempt);
      made.happens("submission", id, "SubmissionGraded", gradeOf(work, one.tenths / 10));
    }
  }
}

const gradeOf = <Work>(work: Work, score: number) => ({
  ...work,
  score,
  rawScore: score,
  feedback: null,
  grader: "person" as const,
});

test("however events are split into batches, the figures are a recount's", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(happening, { minLength: 1, maxLength: 80, size: "max" }),
      fc.array(fc.integer({ min: 1, max: 25 }), { minLength: 1, maxLength: 10 }),
      fc.array(fc.tuple(due, rules), { minLength: 4, maxLength: 4 }),
      async (happenings, sizes, published) => {
        const made = school("America/New_York");
        for (const [which, [days, rule]] of published.entries()) {
          publish(made, which, days === null ? null : day(days), rule);
        }
        play(made, happenings);
        for (let from = 0, batch = 0; from < made.events.length; batch++) {
          const size = at(sizes, batch);
          await applyBatch(made.tenantId, made.events.slice(from, from + size));
          from += size;
        }
        expect(await figures(made.tenantId)).toEqual(recount(made.events));
      },
    ),
    { numRuns: 150 },
  );
});

test("a due day is the day of the due time where the school is", async () => {
  const dueAt = "2013-11-30T23:30:00.000Z" as Instant;
  for (const [timeZone, days] of [
    ["UTC", 60],
    ["Asia/Tokyo", 61],
    ["America/New_York", 60],
  ] as const) {
    const made = school(timeZone);
    publish(made, 0, dueAt);
    await applyBatch(made.tenantId, made.events);
    const [first] = await figures(made.tenantId);
    expect(first?.assessments[0]?.due_day).toBe(days);
  }
});

test("a mean is rounded half up in decimal, where binary fractions would fall short", async () => {
  const made = school("UTC");
  publish(made, 0, null);
  const { id: assignmentId, classId } = at(made.assignments, 0);
  // (1 + 1.01) / 2 = 1.005, which as a binary fraction is a little less.
  for (const [which, score] of [1, 1.01].entries()) {
    const work = { assignmentId, classId, studentId: at(made.students, which) };
    const id = submissionIdOf(made.tenantId, assignmentId, work.studentId, "k");
    made.happens("submission", id, "SubmissionRecorded", {
      ...work,
      key: "k",
      handedInAt: day(1),
      banked: false,
    });
    made.happens("submission", id, "SubmissionGraded", gradeOf(work, score));
  }
  await applyBatch(made.tenantId, made.events);
  const [first] = await figures(made.tenantId);
  expect(first?.assessments[0]?.mean_score).toBe(1.01);
});
