import { createHash } from "node:crypto";
import { type AssignmentId, maxInlineBytes, streamName } from "@carillon/domain";
import { connectBus, connectEventLog, type EventLog, openContent, verifyReceipt } from "@carillon/platform";
import {
  beforeDue,
  clientOf,
  newAssignment,
  newSlug,
  openSchool,
  past,
  refusal,
  runtimes,
  type School,
  type Servers,
  type SharedWorkers,
  sharedPlatform,
  sharedWorkers,
  test,
  textFile,
  tokenFor,
} from "@carillon/testkit";
import { afterAll, describe, expect } from "vitest";

let servers: Servers;
let eventLog: EventLog;
test.beforeAll(async () => {
  eventLog = connectEventLog((await sharedPlatform()).eventstoreUrl);
});
afterAll(() => eventLog?.close());

describe.each(runtimes)("submissions on %s", (runtime) => {
  let workers: SharedWorkers;
  let school: School;
  let assignmentId: AssignmentId;
  test.beforeAll(async () => {
    workers = await sharedWorkers(runtime);
    servers = workers.servers;
    school = await openSchool(workers.gateway.url, servers.signingKey, newSlug(`hand-in-${runtime}`));
    const { teacher, classId } = school;
    ({ assignmentId } = await teacher.client.assignments.publish.mutate(newAssignment(classId, "TMA1")));
  });

  const submit = (key: string, text: string) =>
    school.student.client.submissions.submit.mutate({ assignmentId, key, file: textFile(text) });
  const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

  test("what is handed in is in the log and in the store, and its receipt can be checked offline", async () => {
    const { submissionId, receipt, position } = await submit("first", "my essay");
    const stream = streamName("submission", school.tenantId, submissionId);
    const events = [];
    for await (const event of eventLog.readStream(stream)) events.push(event);
    expect(events.map(({ type }) => type)).toEqual(["SubmissionCommitted", "SubmissionReceived"]);
    expect(String(events[1]?.position)).toBe(position);

    const keys = await fetch(`${workers.gateway.url}/.well-known/receipts.json`).then((answer) =>
      answer.json(),
    );
    expect(JSON.stringify(keys)).not.toContain('"d"');
    const proof = await verifyReceipt(receipt, keys);
    expect(proof).toMatchObject({
      tenantId: school.tenantId,
      assignmentId,
      studentId: school.student.userId,
      key: "first",
      sha256: sha256("my essay"),
      stream,
      revision: 0,
      position,
    });
    expect(proof.receivedAt).toBe(proof.committedAt);

    const bus = await connectBus(servers.log.NATS_URL, "test");
    const stored = await openContent(bus).get(school.tenantId, sha256("my essay"));
    await bus.close();
    expect(new TextDecoder().decode(stored)).toBe("my essay");
  });

  test("a retry gets the very same receipt, at once or later, also from two tabs", async () => {
    const first = await submit("again", "my essay");
    expect(await submit("again", "my essay")).toEqual(first);
    const tabs = await Promise.all([
      submit("tabs", "my essay"),
      submit("tabs", "my essay"),
      submit("tabs", "my essay"),
    ]);
    expect(new Set(tabs.map(({ receipt }) => receipt)).size).toBe(1);
  });

  test("a retry is answered as the first was after the class is left", async () => {
    const { classId, teacher } = school;
    const leaver = school.outsider;
    await teacher.client.classes.join.mutate({ classId, userId: leaver.userId, as: "student" });
    const hand = () =>
      leaver.client.submissions.submit.mutate({ assignmentId, key: "1", file: textFile("done") });
    const first = await hand();
    await teacher.client.classes.leave.mutate({ classId, userId: leaver.userId });
    expect(await hand()).toEqual(first);
  });

  test("other content under the same key is a conflict, and the first stays", async () => {
    const first = await submit("taken", "my essay");
    expect(await refusal(submit("taken", "another essay"))).toMatchObject({
      errorCode: "submission_key_taken",
      httpStatus: 409,
    });
    expect(await submit("taken", "my essay")).toEqual(first);
  });

  test("a file that is missing, empty, too large, damaged or badly named is refused as what it is", async () => {
    const { submissions } = school.student.client;
    const hand = (file: ReturnType<typeof textFile>, digest?: string) =>
      refusal(submissions.submit.mutate({ assignmentId, key: "bad", file, sha256: digest }));
    expect(await refusal(submissions.submit.mutate({ assignmentId, key: "bad" } as never))).toMatchObject({
      errorCode: "malformed",
      httpStatus: 400,
      issues: [{ path: "file", message: "attach the file that you hand in" }],
    });
    expect(await hand(textFile(""))).toMatchObject({ errorCode: "content_missing", httpStatus: 400 });
    expect(await hand(textFile("x".repeat(maxInlineBytes + 1)))).toMatchObject({
      errorCode: "content_too_large",
      httpStatus: 413,
    });
    expect(await hand(textFile("my essay"), sha256("other"))).toMatchObject({
      errorCode: "content_digest_mismatch",
    });
    expect(await hand(textFile("my essay", "essay\u0000.txt"))).toMatchObject({
      errorCode: "malformed",
      issues: [{ path: "file.name" }],
    });
    expect(await hand({ ...textFile("my essay"), base64: "%%%" })).toMatchObject({
      errorCode: "malformed",
      issues: [{ path: "file.base64" }],
    });
  });

  test("content as large as may be is taken", async () => {
    const text = "x".repeat(maxInlineBytes);
    const { receipt } = await submit("large", text);
    expect(receipt).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  });

  test("only a student of the class can hand in, and another school's assignment looks unknown", async () => {
    const outsider = await school.operator.people.enroll.mutate({
      username: "new",
      name: "New",
      roles: ["student"],
    });
    const hand = async (userId: typeof outsider.userId, tenantId: School["tenantId"]) => {
      const token = await tokenFor(servers.signingKey, userId, tenantId, ["student"]);
      const { submissions } = clientOf(workers.gateway.url, token);
      return refusal(submissions.submit.mutate({ assignmentId, key: "1", file: textFile("hello") }));
    };
    expect(await hand(outsider.userId, school.tenantId)).toMatchObject({
      errorCode: "not_a_member",
      httpStatus: 403,
    });
    const other = await openSchool(workers.gateway.url, servers.signingKey, newSlug(`other-${runtime}`));
    expect(await hand(school.student.userId, other.tenantId)).toMatchObject({
      errorCode: "assignment_unknown",
      httpStatus: 404,
    });
    expect(
      await refusal(other.admin.client.assignments.reschedule.mutate({ assignmentId, dueAt: null })),
    ).toMatchObject({ errorCode: "assignment_unknown" });
  });

  test("an assignment that takes nothing late closes when it is due, but not for a retry", async () => {
    const { teacher, student, classId } = school;
    const { dueAt, result } = await beforeDue(async (dueAt, code) => {
      const { assignmentId } = await teacher.client.assignments.publish.mutate({
        ...newAssignment(classId, code),
        latePolicy: { kind: "refuse" },
        dueAt,
      });
      const hand = (key: string) =>
        student.client.submissions.submit.mutate({ assignmentId, key, file: textFile("in time") });
      return { hand, first: await hand("1") };
    });
    const { hand, first } = result;
    await past(dueAt);
    expect(await refusal(hand("2"))).toMatchObject({ errorCode: "assignment_closed", httpStatus: 412 });
    expect(await hand("1")).toEqual(first);
  });

  test("a grade is given by a teacher of the class or an admin", async () => {
    const { submissionId } = await submit("graded", "my essay");
    const grade = (who: { client: School["teacher"]["client"] }) =>
      who.client.submissions.grade.mutate({ submissionId, score: 80, feedback: "Well argued." });
    expect(await refusal(grade(school.otherTeacher))).toMatchObject({ errorCode: "not_a_member" });
    expect(await refusal(grade(school.student))).toMatchObject({ errorCode: "forbidden" });
    const { position } = await grade(school.teacher);
    // The same grade again changes nothing.
    expect(await grade(school.admin)).toEqual({ position });
    expect(
      await refusal(school.teacher.client.submissions.grade.mutate({ submissionId, score: 101 })),
    ).toMatchObject({ errorCode: "malformed", issues: [{ path: "score" }] });
  });
});
