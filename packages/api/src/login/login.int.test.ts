import { Buffer } from "node:buffer";
import { type SessionId, streamName, type TenantId } from "@carillon/domain";
import { type Bus, connectBus, connectEventLog, type EventLog } from "@carillon/platform";
import {
  type Client,
  clientOf,
  comingBack,
  newSigningKey,
  openRoundTrips,
  openSchool,
  type RoundTrips,
  refusal,
  runtimes,
  type School,
  type Servers,
  sessionOf,
  startWorkers,
  type TestWorker,
  test,
  tokenFor,
  type Workers,
} from "@carillon/testkit";
import { hashSync } from "@node-rs/argon2";
import { afterAll, describe, expect } from "vitest";

// No projector runs in these tests: nobody has to wait for one to get in. The relay does: it carries revocations.

let servers: Servers;
let eventLog: EventLog;
let bus: Bus;
let trips: RoundTrips;
let relay: TestWorker;
test.beforeAll(async ({ servers: own }) => {
  servers = own;
  eventLog = connectEventLog(servers.log.EVENTSTORE_URL);
  bus = await connectBus(servers.log.NATS_URL, "test");
  trips = openRoundTrips(eventLog, bus);
  relay = await servers.startRelay();
});
afterAll(async () => {
  await relay?.stop();
  await bus?.close();
  await eventLog?.close();
});

describe.each(runtimes)("login on %s", (runtime) => {
  const tenant = `login-${runtime}`;
  const password = "correct horse battery staple";
  let workers: Workers;
  let school: School;
  let anybody: Client;
  test.beforeAll(async () => {
    workers = await startWorkers(runtime, servers);
    school = await openSchool(workers.gateway.url, servers.signingKey, tenant);
    anybody = clientOf(workers.gateway.url);
    await school.admin.client.people.enroll.mutate({
      username: "ada",
      name: "Ada",
      roles: ["student"],
      password,
    });
  });
  afterAll(() => workers?.stop());

  const login = () => comingBack(() => anybody.auth.login.mutate({ tenant, username: "ada", password }));
  const refresh = (refreshToken: string) => anybody.auth.refresh.mutate({ refreshToken });

  /** When an access token was made: it lives for ten minutes. */
  const issuedAt = ({ expiresAt }: { expiresAt: string }) => Date.parse(expiresAt) - 600_000;

  /** What the log has of a session. */
  const eventsOf = async (sessionId: SessionId, tenantId: TenantId) => {
    const types: string[] = [];
    for await (const { type } of eventLog.readStream(streamName("session", tenantId, sessionId)))
      types.push(type);
    return types;
  };

  /** Whom each worker takes a token for, or the code of its refusal. */
  const takenBy = async (accessToken: string) => {
    const client = clientOf(workers.gateway.url, accessToken);
    const code = (call: Promise<unknown>) =>
      call.then(
        () => "taken",
        (error) => error.data.errorCode,
      );
    return [
      await code(client.people.me.query()),
      await code(client.reports.classProgress.query({ class: "9A" })),
    ];
  };

  test("somebody who was enrolled a moment ago gets in", async () => {
    const [before, answer, after] = [
      Date.now(),
      await anybody.auth.login.mutate({ tenant, username: " Ada", password }),
      Date.now(),
    ];
    expect(answer).toMatchObject({ tenantId: school.tenantId, roles: ["student"] });
    // Tokens tell times by the second.
    expect(issuedAt(answer)).toBeGreaterThan(before - 1_000);
    expect(issuedAt(answer)).toBeLessThanOrEqual(after);
    const me = await clientOf(workers.gateway.url, answer.accessToken).people.me.query();
    expect(me).toMatchObject({ userId: answer.userId, username: "ada", name: "Ada", stale: false });
  });

  test("a login is written to the log after its answer", async () => {
    const answer = await login();
    await expect.poll(() => eventsOf(sessionOf(answer), answer.tenantId)).toEqual(["LoggedIn"]);
  });

  test("a wrong password and an unknown user are told the same, an unknown school is said to be unknown", async () => {
    const wrong = await refusal(
      anybody.auth.login.mutate({ tenant, username: "ada", password: "correct house battery staple" }),
    );
    const unknown = await refusal(anybody.auth.login.mutate({ tenant, username: "eve", password }));
    const without = await refusal(anybody.auth.login.mutate({ tenant, username: "teacher", password }));
    expect(wrong).toMatchObject({ errorCode: "login_refused", httpStatus: 401 });
    const told = ({ correlationId, ...rest }: typeof wrong) => rest;
    expect(told(unknown)).toEqual(told(wrong));
    expect(told(without)).toEqual(told(wrong));
    expect(
      await refusal(anybody.auth.login.mutate({ tenant: "nowhere", username: "ada", password })),
    ).toMatchObject({
      errorCode: "tenant_unknown",
      httpStatus: 404,
    });
  });

  test("a refusal is written to the log with its reason, under nobody's name", async () => {
    await refusal(anybody.auth.login.mutate({ tenant, username: "eve", password }));
    const refusals = async () => {
      const found = [];
      for await (const { type, data, metadata } of eventLog.readAll(undefined)) {
        if (type === "LoginRefused" && (metadata as { tenantId: string }).tenantId === school.tenantId) {
          found.push([(data as { reason: string }).reason, (metadata as { actor: string }).actor]);
        }
      }
      return found;
    };
    await expect.poll(refusals).toContainEqual(["unknown_user", "system:auth"]);
  });

  test("the answer says when to refresh, and who it is for", async () => {
    const answer = await login();
    const { accessToken, refreshToken, deviceToken, nextRefresh, ...rest } = answer;
    const life = Date.parse(nextRefresh) - issuedAt(answer);
    expect(life).toBeGreaterThanOrEqual(360_000);
    expect(life).toBeLessThan(511_000);
    expect(rest).toMatchObject({ roles: ["student"], passwordIsTemporary: false });
    expect(Object.keys(await refresh(refreshToken)).sort()).toEqual(
      ["accessToken", "refreshToken", "expiresAt", "nextRefresh", "tenantId", "userId", "roles"].sort(),
    );
  });

  test("nobody is told to refresh while a bell rings", async () => {
    const slug = `bells-${runtime}`;
    const { tenantId, admin } = await openSchool(workers.gateway.url, servers.signingKey, slug);
    const { client } = admin;
    const soon = new Date(Date.now() + 7 * 60_000);
    const time = soon.toLocaleTimeString("en-GB", { timeZone: "Europe/London", timeStyle: "short" });
    const bellTimes = [{ time, days: [1, 2, 3, 4, 5, 6, 7] }];
    await client.tenants.setBellTimes.mutate({ bellTimes });
    expect(await client.tenants.bellTimes.query()).toMatchObject({ timeZone: "Europe/London", bellTimes });
    await client.people.enroll.mutate({ username: "ada", name: "Ada", roles: ["student"], password });
    const answer = await anybody.auth.login.mutate({ tenant: slug, username: "ada", password });
    expect(answer.tenantId).toBe(tenantId);
    expect(Date.parse(answer.nextRefresh)).toBeLessThan(soon.getTime() - 60_000);
  });

  test("a refresh gives new tokens with the roles of now", async () => {
    const first = await login();
    await school.admin.client.people.assignRoles.mutate({
      userId: first.userId,
      roles: ["student", "auditor"],
    });
    await trips.withinASecond(async () => {
      expect((await takenBy(first.accessToken))[0]).toBe("token_expired");
    });
    const second = await refresh(first.refreshToken);
    expect(second).toMatchObject({ userId: first.userId, roles: ["student", "auditor"] });
    expect(second.refreshToken).not.toBe(first.refreshToken);
    const third = await refresh(second.refreshToken);
    expect(third.refreshToken).not.toBe(second.refreshToken);
  });

  test("two tabs that refresh at once get the same successor", async () => {
    const { refreshToken } = await login();
    const tabs = await Promise.all([refresh(refreshToken), refresh(refreshToken), refresh(refreshToken)]);
    expect(new Set(tabs.map((tab) => tab.refreshToken)).size).toBe(1);
    await refresh(tabs[0].refreshToken);
  });

  test("a refresh token that is used long after ends the session for everybody, and the log says so", async () => {
    const stolen = await login();
    const { refreshToken } = await refresh((await refresh(stolen.refreshToken)).refreshToken);
    const ended = { errorCode: "session_ended", httpStatus: 401 };
    expect(await refusal(refresh(stolen.refreshToken))).toMatchObject(ended);
    expect(await refusal(refresh(refreshToken))).toMatchObject(ended);
    await expect
      .poll(() => eventsOf(sessionOf(stolen), stolen.tenantId))
      .toEqual(["LoggedIn", "SessionRevoked"]);
  });

  test("a refresh token that we did not make is not valid", async () => {
    const { refreshToken } = await login();
    for (const forged of [refreshToken.slice(0, -6), "nonsense"]) {
      expect(await refusal(refresh(forged))).toMatchObject({ errorCode: "token_invalid", httpStatus: 401 });
    }
  });

  const endsWithinASecond = (accessToken: string) =>
    trips.withinASecond(async () => {
      expect(await takenBy(accessToken)).toEqual(["session_ended", "session_ended"]);
    });

  test("logging out ends this session at every worker within a second, and no other", async () => {
    const [left, kept] = [await login(), await login()];
    await clientOf(workers.gateway.url, left.accessToken).auth.logout.mutate();
    await endsWithinASecond(left.accessToken);
    expect(await refusal(refresh(left.refreshToken))).toMatchObject({ errorCode: "session_ended" });
    expect(await eventsOf(sessionOf(left), left.tenantId)).toEqual(["LoggedIn", "SessionRevoked"]);
    expect((await takenBy(kept.accessToken))[0]).toBe("taken");
    await refresh(kept.refreshToken);
  });

  test("logging out everywhere ends every session within a second, and a new login is not one of them", async () => {
    const [one, other] = [await login(), await login()];
    await clientOf(workers.gateway.url, one.accessToken).auth.logoutEverywhere.mutate();
    for (const { accessToken, refreshToken } of [one, other]) {
      await endsWithinASecond(accessToken);
      expect(await refusal(refresh(refreshToken))).toMatchObject({ errorCode: "session_ended" });
    }
    const next = await login();
    expect((await takenBy(next.accessToken))[0]).toBe("taken");
    await refresh(next.refreshToken);
  });

  test("an admin ends the sessions of a student, a student those of nobody else", async () => {
    const { accessToken, userId } = await login();
    const asStudent = clientOf(workers.gateway.url, accessToken);
    expect(
      await refusal(asStudent.auth.revokeSessions.mutate({ userId: school.admin.userId })),
    ).toMatchObject({
      errorCode: "forbidden",
    });
    await school.admin.client.auth.revokeSessions.mutate({ userId });
    await endsWithinASecond(accessToken);
  });

  test("40 students behind one address log in at once, at no limit", async () => {
    const passwordHash = hashSync(password);
    const usernames = Array.from({ length: 40 }, (_, index) => `student.${index}`);
    const { people } = school.admin.client;
    await Promise.all(
      usernames.map((username) =>
        people.enroll.mutate({ username, name: username, roles: ["student"], passwordHash }),
      ),
    );
    // Nobody is shed or told to wait: each is answered at the first try.
    const answers = await Promise.all(
      usernames.map((username) => anybody.auth.login.mutate({ tenant, username, password })),
    );
    expect(new Set(answers.map(({ userId }) => userId)).size).toBe(40);
  });

  test("an access token that is missing, expired, tampered with or another's is refused as what it is", async () => {
    const { userId, tenantId, accessToken } = await login();
    const meWith = (token?: string) => refusal(clientOf(workers.gateway.url, token).people.me.query());
    const expired = await tokenFor(
      servers.signingKey,
      userId,
      tenantId,
      ["student"],
      new Date(Date.now() - 700_000),
    );
    const others = await tokenFor(newSigningKey("auth-1"), userId, tenantId, ["student"]);
    const [head, , signature] = accessToken.split(".");
    const claims = Buffer.from(JSON.stringify({ sub: userId, tid: tenantId, roles: ["operator"] }));
    expect(await meWith()).toMatchObject({ errorCode: "token_missing", httpStatus: 401 });
    expect(await meWith(expired)).toMatchObject({ errorCode: "token_expired", httpStatus: 401 });
    for (const bad of [others, `${head}.${claims.toString("base64url")}.${signature}`, "nonsense"]) {
      expect(await meWith(bad)).toMatchObject({ errorCode: "token_invalid", httpStatus: 401 });
    }
  });

  test("nothing personal is printed", () => {
    const printed = [workers.auth, workers.api, workers.gateway].map((worker) => worker.output()).join();
    for (const secret of [password, "ada", "Ada", "eyJ"]) expect(printed).not.toContain(secret);
  });
});
