import type { ClassId, Role, UserId } from "@carillon/domain";
import {
  type Client,
  clientOf,
  fromNow,
  launchWorker,
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
  settingsFor,
  sharedWorkers,
  test,
  tokenFor,
} from "@carillon/testkit";
import { describe, expect } from "vitest";

let servers: Servers;

describe.each(runtimes)("refusals on %s", (runtime) => {
  let workers: SharedWorkers;
  let school: School;
  let url: string;
  test.beforeAll(async () => {
    workers = await sharedWorkers(runtime);
    servers = workers.servers;
    url = workers.gateway.url;
    school = await openSchool(url, servers.signingKey, newSlug(`refusals-${runtime}`));
  });

  const post = async (path: string, body: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${url}/trpc/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body,
    });
    return { status: response.status, error: (await response.json()).error };
  };

  test("a body that is no JSON, an input that does not fit and a wrong method are malformed", async () => {
    expect(await post("auth.login", "{")).toMatchObject({
      status: 400,
      error: { data: { errorCode: "malformed" } },
    });
    expect(await post("auth.login", JSON.stringify({ tenant: "x", username: "ada" }))).toMatchObject({
      status: 400,
      error: { data: { errorCode: "malformed", issues: [{ path: "password" }] } },
    });
    expect(await post("auth.login", "tenant=x", { "content-type": "text/plain" })).toMatchObject({
      status: 400,
      error: { data: { errorCode: "malformed" } },
    });
    const got = await fetch(`${url}/trpc/auth.login`);
    expect([got.status, (await got.json()).error.data.errorCode]).toEqual([400, "malformed"]);
  });

  test("a procedure that is not there is unknown, at every worker", async () => {
    for (const path of ["auth.nothing", "people.nothing", "nothing", "reports.nothing"]) {
      expect(await post(path, "{}")).toMatchObject({
        status: 404,
        error: { data: { errorCode: "procedure_unknown" } },
      });
    }
  });

  test("no answer shows a stack", async () => {
    const answers = [
      await post("auth.login", "{"),
      await post("people.nothing", "{}"),
      await post("people.enroll", "{}"),
    ];
    expect(JSON.stringify(answers)).not.toMatch(/stack|\.ts:|node_modules/);
  });

  test("a due date in the past is refused, when it is published and when it is changed", async () => {
    const { assignments } = school.teacher.client;
    const assignment = newAssignment(school.classId, "due");
    const late = { errorCode: "due_in_past", httpStatus: 400 };
    expect(
      await refusal(assignments.publish.mutate({ ...assignment, dueAt: fromNow(-1_000) })),
    ).toMatchObject(late);
    const { assignmentId } = await assignments.publish.mutate(assignment);
    expect(
      await refusal(assignments.reschedule.mutate({ assignmentId, dueAt: fromNow(-1_000) })),
    ).toMatchObject(late);
    expect(await refusal(assignments.publish.mutate({ ...assignment, dueAt: "tomorrow" }))).toMatchObject({
      errorCode: "malformed",
      issues: [{ path: "dueAt" }],
    });
  });

  test("names are taken once, and saying the same again is not a second time", async () => {
    const { operator, teacher, classId } = school;
    const profile = schoolProfile(newSlug(`taken-${runtime}`));
    const platform = clientOf(url, await operatorToken(servers.signingKey, null));
    const enrolled = await platform.tenants.enroll.mutate(profile);
    expect(await platform.tenants.enroll.mutate(profile)).toEqual(enrolled);
    expect(await refusal(platform.tenants.enroll.mutate({ ...profile, name: "Other" }))).toMatchObject({
      errorCode: "tenant_slug_taken",
      httpStatus: 409,
    });
    expect(
      await refusal(
        operator.people.enroll.mutate({ username: "Teacher", name: "Other", roles: ["student"] }),
      ),
    ).toMatchObject({ errorCode: "username_taken" });
    const open = (title: string) =>
      teacher.client.classes.open.mutate({ code: "9A", title, startsOn: "2026-09-01", lengthDays: 200 });
    expect((await open("Physics")).classId).toBe(classId);
    expect(await refusal(open("Chemistry"))).toMatchObject({ errorCode: "class_code_taken" });
  });

  test("what is not there is unknown", async () => {
    const { admin, student } = school;
    const nowhere = crypto.randomUUID() as ClassId;
    const nobody = crypto.randomUUID() as UserId;
    expect(await refusal(admin.client.assignments.publish.mutate(newAssignment(nowhere, "1")))).toMatchObject(
      {
        errorCode: "class_unknown",
      },
    );
    const join = (classId: ClassId, userId: UserId) =>
      refusal(admin.client.classes.join.mutate({ classId, userId, as: "student" }));
    expect(await join(nowhere, student.userId)).toMatchObject({ errorCode: "class_unknown" });
    expect(await join(school.classId, nobody)).toMatchObject({ errorCode: "user_unknown" });
    expect(
      await refusal(admin.client.people.assignRoles.mutate({ userId: nobody, roles: ["student"] })),
    ).toMatchObject({
      errorCode: "user_unknown",
    });
  });

  test("a teacher changes only classes that they teach, and does not come to teach one by opening it again", async () => {
    const { otherTeacher, classId, outsider } = school;
    await otherTeacher.client.classes.open.mutate({
      code: "9A",
      title: "Physics",
      startsOn: "2026-09-01",
      lengthDays: 200,
    });
    const refused = { errorCode: "not_a_member", httpStatus: 403 };
    const { classes, assignments } = otherTeacher.client;
    expect(await refusal(assignments.publish.mutate(newAssignment(classId, "mine")))).toMatchObject(refused);
    expect(
      await refusal(classes.join.mutate({ classId, userId: outsider.userId, as: "student" })),
    ).toMatchObject(refused);
    expect(await refusal(classes.leave.mutate({ classId, userId: school.student.userId }))).toMatchObject(
      refused,
    );
  });

  test("each role does what it may and nothing else", async () => {
    const actions: Record<string, (client: Client) => Promise<unknown>> = {
      "tenants.enroll": (client) => client.tenants.enroll.mutate(schoolProfile(`roles-${runtime}`)),
      "people.enroll": (client) =>
        client.people.enroll.mutate({ username: "kim", name: "Kim", roles: ["student"] }),
      "people.list": (client) => client.people.list.query(),
      "classes.list": (client) => client.classes.list.query(),
      "classes.open": (client) =>
        client.classes.open.mutate({ code: "9B", title: "Music", startsOn: "2026-09-01", lengthDays: 9 }),
      "submissions.mine": (client) => client.submissions.mine.query(),
    };
    const allowed = {
      student: ["classes.list", "submissions.mine"],
      auditor: ["people.list", "classes.list"],
      teacher: ["people.list", "classes.list", "classes.open"],
      admin: ["people.enroll", "people.list", "classes.list", "classes.open"],
      operator: ["tenants.enroll", "people.enroll", "people.list", "classes.list", "classes.open"],
    } satisfies Partial<Record<Role, string[]>>;
    const did: Partial<Record<Role, string[]>> = {};
    for (const role of Object.keys(allowed) as Role[]) {
      const { userId } = school[role === "operator" ? "admin" : (role as "student")];
      const client = clientOf(url, await tokenFor(servers.signingKey, userId, school.tenantId, [role]));
      did[role] = [];
      for (const [action, act] of Object.entries(actions)) {
        const code = await act(client).then(
          () => undefined,
          (error) => error.data.errorCode,
        );
        expect([undefined, "forbidden"]).toContain(code);
        if (code === undefined) did[role].push(action);
      }
    }
    expect(did).toEqual(allowed);
  });

  test("a role with power is given only by those who have it", async () => {
    const { userId } = school.outsider;
    const give = (client: Client, role: Role) =>
      refusal(client.people.assignRoles.mutate({ userId, roles: [role] }));
    expect(await give(school.admin.client, "operator")).toMatchObject({
      errorCode: "forbidden",
      httpStatus: 403,
    });
    expect(await give(school.teacher.client, "student")).toMatchObject({ errorCode: "forbidden" });
    await school.operator.people.assignRoles.mutate({ userId, roles: ["admin"] });
  });

  test("an operator whose token names no school is told to use one that does", async () => {
    const platform = clientOf(url, await operatorToken(servers.signingKey, null));
    expect(await refusal(platform.people.list.query())).toMatchObject({ errorCode: "forbidden" });
  });

  test.each(["auth", "api", "reports"] as const)(
    "%s does not start as the owner of its database",
    async (name) => {
      const database = { auth: "AUTH_DATABASE_URL", api: "DATABASE_URL", reports: "REPORTS_DATABASE_URL" }[
        name
      ];
      const launched = await launchWorker(runtime, name, {
        ...settingsFor(servers)[name],
        [database]: servers.owner[name === "api" ? "live" : name],
      });
      expect(await launched.exited).toBe(78);
      expect(launched.output()).toContain("carillon_owner");
    },
  );
});
