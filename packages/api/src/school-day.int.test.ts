import {
  clientOf,
  fresh,
  newAssignment,
  newSlug,
  openSchool,
  operatorToken,
  refusal,
  runtimes,
  type School,
  type Servers,
  type SharedWorkers,
  schoolProfile,
  sharedWorkers,
  test,
  textFile,
} from "@carillon/testkit";
import { describe, expect } from "vitest";

let servers: Servers;

describe.each(runtimes)("a school's day on %s", (runtime) => {
  let workers: SharedWorkers;
  let url: string;
  test.beforeAll(async () => {
    workers = await sharedWorkers(runtime);
    servers = workers.servers;
    url = workers.gateway.url;
  });

  test("from the school's enrolment to the report", async () => {
    const tenant = newSlug(`day-${runtime}`);
    const password = "correct horse";
    const platform = clientOf(url, await operatorToken(servers.signingKey, null));
    const { tenantId } = await platform.tenants.enroll.mutate(schoolProfile(tenant));
    const operator = clientOf(url, await operatorToken(servers.signingKey, tenantId));
    await operator.people.enroll.mutate({ username: "head", name: "Head", roles: ["admin"], password });

    const login = async (username: string) => {
      const { accessToken } = await clientOf(url).auth.login.mutate({ tenant, username, password });
      return clientOf(url, accessToken);
    };
    const admin = await login("head");
    await admin.people.enroll.mutate({ username: "turing", name: "Alan", roles: ["teacher"], password });
    const ada = await admin.people.enroll.mutate({
      username: "ada",
      name: "Ada",
      email: "ada@example.org",
      roles: ["student"],
      password,
    });
    const bob = await admin.people.enroll.mutate({ username: "bob", name: "Bob", roles: ["student"] });
    const { people } = await fresh(() => admin.people.list.query({ atLeast: bob.position }));
    expect(people.map(({ username, email }) => [username, email])).toEqual([
      ["ada", "ada@example.org"],
      ["bob", null],
      ["head", null],
      ["turing", null],
    ]);
    const firstTwo = await admin.people.list.query({ limit: 2 });
    const others = await admin.people.list.query({ limit: 2, after: firstTwo.next ?? "" });
    expect([...firstTwo.people, ...others.people]).toEqual(people);
    expect(others.next).toBeNull();

    const teacher = await login("turing");
    const { classId } = await teacher.classes.open.mutate({
      code: "9A",
      title: "Computing",
      startsOn: "2026-09-01",
      lengthDays: 200,
    });
    await teacher.classes.join.mutate({ classId, userId: ada.userId, as: "student" });
    const joined = await teacher.classes.join.mutate({ classId, userId: bob.userId, as: "student" });
    const { members } = await fresh(() =>
      teacher.classes.members.query({ classId, atLeast: joined.position }),
    );
    expect(members.map(({ username, as }) => [username, as])).toEqual([
      ["ada", "student"],
      ["bob", "student"],
      ["turing", "teacher"],
    ]);
    const left = await teacher.classes.leave.mutate({ classId, userId: bob.userId });

    await teacher.assignments.publish.mutate({
      ...newAssignment(classId, "TMA10"),
      dueAt: "2099-01-01T12:00:00Z",
    });
    const dueAt = "2099-01-01T23:59:59+02:00";
    const published = await teacher.assignments.publish.mutate({ ...newAssignment(classId, "TMA2"), dueAt });
    await teacher.assignments.publish.mutate({
      ...newAssignment(classId, "Exam"),
      kind: "Exam",
      dueAt: null,
    });

    const student = await login("ada");
    const { classes } = await fresh(() => student.classes.list.query({ atLeast: left.position }));
    expect(classes).toEqual([
      { classId, code: "9A", title: "Computing", startsOn: "2026-09-01", lengthDays: 200 },
    ]);
    const { assignments } = await fresh(() =>
      student.assignments.list.query({ classId, atLeast: published.position }),
    );
    expect(assignments.find(({ code }) => code === "TMA2")).toMatchObject({
      assignmentId: published.assignmentId,
      dueAt: "2099-01-01T21:59:59.000Z",
    });

    const { assignmentId } = published;
    const file = textFile("my essay");
    const handedIn = await student.submissions.submit.mutate({ assignmentId, key: "1", file });
    const mine = await fresh(() =>
      student.submissions.mine.query({ assignmentId, atLeast: handedIn.position }),
    );
    expect(mine).toMatchObject({
      stale: false,
      submissions: [
        { submissionId: handedIn.submissionId, key: "1", name: "essay.txt", bytes: 8, score: null },
      ],
    });

    const { submissions } = await teacher.submissions.list.query({ assignmentId });
    expect(submissions).toMatchObject([{ submissionId: handedIn.submissionId, studentId: ada.userId }]);
    const graded = await teacher.submissions.grade.mutate({
      submissionId: handedIn.submissionId,
      score: 87.5,
      feedback: "Well argued.",
    });
    const { submissions: marked } = await fresh(() =>
      student.submissions.mine.query({ atLeast: graded.position }),
    );
    expect(marked).toMatchObject([{ score: 87.5, feedback: "Well argued." }]);

    const report = await fresh(() =>
      teacher.reports.classProgress.query({ class: "9A", atLeast: graded.position }),
    );
    const untouched = { weight: 50, submitted: 0, banked: 0, scored: 0, meanScore: null, passed: 0 };
    const dueDay = 26_420;
    expect(report).toEqual({
      class: "9A",
      lengthDays: 200,
      registered: 2,
      withdrawn: 1,
      asOf: { position: expect.stringMatching(/^\d+$/), at: expect.stringMatching(/Z$/) },
      stale: false,
      assessments: [
        { ...untouched, assessment: "Exam", type: "Exam", dueDay: null, late: null },
        {
          ...untouched,
          assessment: "TMA2",
          type: "TMA",
          dueDay,
          submitted: 1,
          late: 0,
          scored: 1,
          meanScore: 87.5,
          passed: 1,
        },
        { ...untouched, assessment: "TMA10", type: "TMA", dueDay, late: 0 },
      ],
    });
    expect(await refusal(teacher.reports.classProgress.query({ class: "9Z" }))).toMatchObject({
      errorCode: "class_unknown",
      httpStatus: 404,
    });
  });

  describe("reading", () => {
    let school: School;
    test.beforeAll(async () => {
      school = await openSchool(url, servers.signingKey, newSlug(`reading-${runtime}`));
    });

    test("what a command has done is in the query that asks for its position, every time", async () => {
      const { admin } = school;
      for (let round = 0; round < 10; round++) {
        const code = `R${round}`;
        const { position } = await admin.client.classes.open.mutate({
          code,
          title: "Reading",
          startsOn: "2026-09-01",
          lengthDays: 1,
        });
        const { classes, stale, asOf } = await fresh(() =>
          admin.client.classes.list.query({ atLeast: position }),
        );
        expect(classes.map((found) => found.code)).toContain(code);
        expect(stale).toBe(false);
        expect(BigInt(asOf.position ?? 0)).toBeGreaterThanOrEqual(BigInt(position));
      }
    });

    test("a position that does not come is answered with what there is, marked stale", async () => {
      const { admin, position } = school;
      await fresh(() => admin.client.classes.list.query({ atLeast: position }));
      const { classes, stale } = await admin.client.classes.list.query({ atLeast: "9000000000000000000" });
      expect(classes).not.toHaveLength(0);
      expect(stale).toBe(true);
      expect(await refusal(admin.client.classes.list.query({ atLeast: `${position}x` }))).toMatchObject({
        errorCode: "malformed",
        issues: [{ path: "atLeast" }],
      });
    });

    test("a student sees their own classes and submissions only, and another school sees nothing", async () => {
      const { teacher, student, outsider, classId } = school;
      const { assignmentId } = await teacher.client.assignments.publish.mutate(newAssignment(classId, "own"));
      const { position } = await student.client.submissions.submit.mutate({
        assignmentId,
        key: "1",
        file: textFile("mine"),
      });
      const { submissions, classes } = outsider.client;
      expect((await fresh(() => submissions.mine.query({ atLeast: position }))).submissions).toEqual([]);
      expect((await fresh(() => classes.list.query({ atLeast: position }))).classes).toEqual([]);
      expect(await refusal(outsider.client.assignments.list.query({ classId }))).toMatchObject({
        errorCode: "not_a_member",
      });
      const other = await openSchool(url, servers.signingKey, newSlug(`elsewhere-${runtime}`));
      expect(
        await refusal(other.admin.client.assignments.list.query({ classId, atLeast: other.position })),
      ).toMatchObject({ errorCode: "class_unknown" });
      expect(await refusal(other.admin.client.classes.members.query({ classId }))).toMatchObject({
        errorCode: "class_unknown",
      });
      expect(await refusal(other.admin.client.submissions.list.query({ assignmentId }))).toMatchObject({
        errorCode: "assignment_unknown",
      });
      const { people } = await other.admin.client.people.list.query();
      expect(people.map(({ userId }) => userId)).not.toContain(student.userId);
    });
  });
});
