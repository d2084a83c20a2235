import { type AssignmentId, instantOf, submissionDecider, uploadWindowMs } from "@carillon/domain";
import { commandContext, connectEventLog, type EventLog } from "@carillon/platform";
import {
  beforeDue,
  fresh,
  newAssignment,
  newSlug,
  openSchool,
  past,
  runtimes,
  type School,
  type Servers,
  type SharedWorkers,
  sharedPlatform,
  sharedWorkers,
  test,
  textFile,
} from "@carillon/testkit";
import { afterAll, describe, expect } from "vitest";

let servers: Servers;
let eventLog: EventLog;
test.beforeAll(async () => {
  eventLog = connectEventLog((await sharedPlatform()).eventstoreUrl);
});
afterAll(() => eventLog?.close());

describe.each(runtimes)("late work on %s", (runtime) => {
  let workers: SharedWorkers;
  let school: School;
  let assignmentId: AssignmentId;
  test.beforeAll(async () => {
    workers = await sharedWorkers(runtime);
    servers = workers.servers;
    school = await openSchool(workers.gateway.url, servers.signingKey, newSlug(`late-${runtime}`));
  });

  const answerKey = {
    questions: [{ kind: "number" as const, id: "q1", value: 42.25, tolerance: 0, points: 1 }],
  };

  test("an assignment says how it takes late work, and never what the right answers are", async () => {
    const { teacher, student, classId } = school;
    const published = await teacher.client.assignments.publish.mutate({
      ...newAssignment(classId, "quiz"),
      ...{ graceSeconds: 90, counts: "best", answerKey },
      latePolicy: { kind: "penalty", percentPerDay: 10 },
    });
    const { position: atLeast } = published;
    ({ assignmentId } = published);
    for (const { client } of [student, teacher]) {
      const { assignments } = await fresh(() => client.assignments.list.query({ classId, atLeast }));
      expect(assignments).toMatchObject([
        {
          ...{ graceSeconds: 90, counts: "best", autograded: true },
          latePolicy: { kind: "penalty", percentPerDay: 10 },
        },
      ]);
      expect(JSON.stringify(assignments)).not.toContain("42.25");
    }
  });

  test("student and teacher see what was late, what it cost, and what lapsed", async () => {
    const { teacher, student, classId, tenantId } = school;
    const { dueAt, result: late } = await beforeDue((dueAt, code) =>
      teacher.client.assignments.publish.mutate({
        ...newAssignment(classId, code),
        latePolicy: { kind: "penalty", percentPerDay: 10 },
        dueAt,
      }),
    );
    await past(dueAt);
    const work = { assignmentId: late.assignmentId, key: "late", file: textFile("late") };
    const { submissionId } = await student.client.submissions.submit.mutate(work);
    await teacher.client.submissions.grade.mutate({ submissionId, score: 80 });

    const committed = await student.client.submissions.commit.mutate({
      ...{ assignmentId, key: "never", sha256: "ab".repeat(32), bytes: 1_000 },
      ...{ name: "essay.pdf", mediaType: "application/pdf" },
    });
    const at = instantOf(new Date(Date.now() + uploadWindowMs));
    const { position } = await eventLog.execute(submissionDecider, tenantId, committed.submissionId, [
      { command: { type: "LapseSubmission", at }, context: commandContext(tenantId, "system:test", at) },
    ]);

    const atLeast = String(position);
    const mine = await fresh(() => student.client.submissions.mine.query({ atLeast }));
    const listed = await Promise.all(
      [late.assignmentId, assignmentId].map((id) =>
        fresh(() => teacher.client.submissions.list.query({ assignmentId: id, atLeast })),
      ),
    );
    for (const { submissions } of [mine, { submissions: listed.flatMap((part) => part.submissions) }]) {
      expect(submissions.find(({ key }) => key === "late")).toMatchObject({
        ...{ late: true, penaltyPercent: 10, score: 72, rawScore: 80, grader: "person", counts: true },
        ...{ uploadBy: null, lapsedAt: null },
      });
      expect(submissions.find(({ key }) => key === "never")).toMatchObject({
        ...{ late: false, penaltyPercent: 0, score: null, rawScore: null, grader: null, counts: false },
        ...{ uploadBy: committed.upload?.expiresAt, receivedAt: null, lapsedAt: at },
      });
    }
  });
});
