import {
  assignmentIdOf,
  type Category,
  type CountingAttempt,
  classIdOf,
  type DomainEvent,
  type Instant,
  instantOf,
  type LiveDatabase,
  streamName,
  submissionIdOf,
  tenantIdOf,
  userIdOf,
} from "@carillon/domain";
import { type CheckpointTables, type Database, type RecordedEvent, scopeToTenant } from "@carillon/platform";
import { connectAsProjector, connectAsReader, test } from "@carillon/testkit";
import { type Kysely, sql, type Transaction } from "kysely";
import { afterAll, expect } from "vitest";
import { submissionList } from "./submissions.ts";

let projector: Kysely<CheckpointTables>;
let live: Database<LiveDatabase>;
let schools = 0;

test.beforeAll(async ({ databases }) => {
  projector = connectAsProjector(databases, "live");
  live = connectAsReader<LiveDatabase>(databases, "live");
});
afterAll(async () => {
  await Promise.all([projector.destroy(), live.close()]);
});

const minute = (minutes: number) => instantOf(new Date(Date.UTC(2026, 8, 20, 23, minutes)));
const digest = (letter: string) => letter.repeat(64);

/** A school with one assignment, whose events are in the view at once. */
async function school(counts: CountingAttempt = "last") {
  const tenantId = tenantIdOf(`school-${schools++}`);
  const classId = classIdOf(tenantId, "A");
  const assignmentId = assignmentIdOf(classId, "1");
  let position = 0n;

  const happens = async <Type extends DomainEvent["type"]>(
    category: Category,
    id: string,
    type: Type,
    data: Extract<DomainEvent, { type: Type }>["data"],
  ) => {
    position++;
    const event = {
      id: crypto.randomUUID(),
      type,
      data,
      stream: streamName(category, tenantId, id as never),
      revision: 0,
      position,
      created: minute(0),
      metadata: { tenantId, occurredAt: minute(50) },
    } as unknown as RecordedEvent;
    await projector.transaction().execute(async (tx) => {
      await scopeToTenant(tx, tenantId);
      await submissionList.apply(tx as unknown as Transaction<unknown>, tenantId, [event]);
    });
  };

  await happens("assignment", assignmentId, "AssignmentPublished", {
    classId,
    dueAt: minute(30),
    code: "1",
    title: "One",
    kind: "TMA",
    weight: 10,
    latePolicy: { kind: "penalty", percentPerDay: 20 },
    graceSeconds: 0,
    counts,
    answerKey: null,
  });

  const attemptOf = (student: string, key: string) => {
    const studentId = userIdOf(tenantId, student);
    const work = { assignmentId, classId, studentId };
    return { work, id: submissionIdOf(tenantId, assignmentId, studentId, key) };
  };

  return {
    tenantId,
    async commit(student: string, key: string, at: Instant, letter = "a", late = false) {
      const { id, work } = attemptOf(student, key);
      await happens("submission", id, "SubmissionCommitted", {
        ...work,
        key,
        content: { sha256: digest(letter), bytes: 5, name: "essay.txt", mediaType: "text/plain" },
        committedAt: at,
        dueAt: minute(30),
        graceSeconds: 0,
        late,
        penaltyPercent: late ? 20 : 0,
        uploadBy: minute(59),
        autograded: false,
      });
    },
    async lapse(student: string, key: string, letter = "a") {
      const { id, work } = attemptOf(student, key);
      await happens("submission", id, "SubmissionLapsed", {
        ...work,
        sha256: digest(letter),
        lapsedAt: minute(59),
      });
    },
    async grade(student: string, key: string, rawScore: number, score = rawScore) {
      const { id, work } = attemptOf(student, key);
      await happens("submission", id, "SubmissionGraded", {
        ...work,
        score,
        rawScore,
        feedback: null,
        grader: "answer_key",
      });
    },
    rows: () =>
      live.withTenant(tenantId, (tx) =>
        tx.selectFrom("submissions.submissions").selectAll().orderBy("position").execute(),
      ),
    /** The keys of the attempts that count. */
    counting: () =>
      live.withTenant(tenantId, async (tx) => {
        const rows = await tx
          .selectFrom("submissions.submissions")
          .select("key")
          .where("counts", "=", true)
          .orderBy("key")
          .execute();
        return rows.map(({ key }) => key);
      }),
  };
}

test("a late submission shows its penalty, its raw score and who graded it", async () => {
  const { commit, grade, rows } = await school();
  await commit("ada", "k", minute(40), "a", true);
  await grade("ada", "k", 90, 72);
  expect(await rows()).toMatchObject([
    {
      late: true,
      penalty_percent: 20,
      upload_by: new Date(minute(59)),
      lapsed_at: null,
      score: 72,
      raw_score: 90,
      grader: "answer_key",
      counts: true,
    },
  ]);
});

test("the last attempt counts; where it lapses, the one before it does", async () => {
  const { commit, lapse, counting, rows } = await school("last");
  await commit("ada", "1", minute(1));
  await commit("ada", "3", minute(3));
  await commit("ada", "2", minute(2));
  await commit("grace", "4", minute(1));
  expect(await counting()).toEqual(["3", "4"]);
  await lapse("ada", "3");
  expect(await counting()).toEqual(["2", "4"]);
  expect((await rows()).find(({ key }) => key === "3")?.lapsed_at).toEqual(new Date(minute(59)));
});

test("of two attempts at one time the later in the log is the last, and the earlier the first", async () => {
  for (const [counts, expected] of [
    ["last", ["2"]],
    ["first", ["1"]],
  ] as const) {
    const { commit, counting } = await school(counts);
    await commit("ada", "1", minute(1));
    await commit("ada", "2", minute(1));
    expect(await counting()).toEqual(expected);
  }
});

test("the best attempt counts, of two with one score the earlier, and none without a score before one with 0", async () => {
  const { commit, grade, counting } = await school("best");
  await commit("ada", "1", minute(1));
  await commit("ada", "2", minute(2));
  await commit("ada", "3", minute(3));
  expect(await counting()).toEqual(["1"]);
  await grade("ada", "2", 0);
  expect(await counting()).toEqual(["2"]);
  await grade("ada", "3", 70);
  expect(await counting()).toEqual(["3"]);
  await grade("ada", "1", 70);
  expect(await counting()).toEqual(["1"]);
});

test("content is in use as long as a submission of the same school that has not lapsed is of it", async () => {
  const [north, south] = [await school(), await school()];
  await north.commit("ada", "1", minute(1), "a");
  await north.commit("grace", "1", minute(1), "a");
  await north.commit("edsger", "1", minute(1), "b");
  await south.commit("ada", "1", minute(1), "c");
  const wanted = ["a", "b", "c", "d"].map(digest);
  const references = () =>
    live.withTenant(north.tenantId, (tx) =>
      tx
        .selectFrom("submissions.content_references")
        .select(["sha256", "references"])
        .where("sha256", "=", sql<string>`any(${wanted})`)
        .orderBy("sha256")
        .execute(),
    );
  expect(await references()).toEqual([
    { sha256: digest("a"), references: 2 },
    { sha256: digest("b"), references: 1 },
  ]);
  await north.lapse("ada", "1", "a");
  await north.lapse("edsger", "1", "b");
  expect(await references()).toEqual([{ sha256: digest("a"), references: 1 }]);
});

test("an index serves the questions of what content is in use and of which attempt counts", async () => {
  const { tenantId } = await school();
  const plan = (query: ReturnType<typeof sql>) =>
    live.withTenant(tenantId, async (tx) => {
      // Tables of a test are so small that reading them whole would be cheaper.
      await sql`set local enable_seqscan = off`.execute(tx);
      const { rows } = await sql<{ "QUERY PLAN": string }>`explain ${query}`.execute(tx);
      return rows.map((row) => row["QUERY PLAN"]).join("\n");
    });
  expect(
    await plan(sql`select * from submissions.content_references where sha256 = any(${[digest("a")]})`),
  ).toMatch(/submissions_tenant_id_sha256_idx[\s\S]*Index Cond: .*sha256/);
  expect(await plan(sql`select counts from submissions.submissions where student_id = ${tenantId}`)).toMatch(
    /submissions_tenant_id_assignment_id_student_id_idx[\s\S]*Index Cond: .*assignment_id.*student_id/,
  );
});
