import { Buffer } from "node:buffer";
import { SessionId, streamName, type TenantId } from "@carillon/domain";
import { connectEventLog, type EventLog } from "@carillon/platform";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Client,
  clientOf,
  newSigningKey,
  openSchool,
  refusal,
  runtimes,
  type School,
  type Servers,
  startServers,
  startWorkers,
  tokenFor,
  type Workers,
} from "./testing.ts";

// No projector runs in these tests: nobody has to wait for one to get in.

let servers: Servers;
let eventLog: EventLog;
beforeAll(async () => {
  servers = await startServers();
  eventLog = connectEventLog(servers.log.EVENTSTORE_URL);
});
afterAll(async () => {
  await eventLog?.close();
  await servers?.stop();
});

describe.each(runtimes)("login on %s", (runtime) => {
  const tenant = `login-${runtime}`;
  const password = "correct horse";
  let workers: Workers;
  let school: School;
  let anybody: Client;
  beforeAll(async () => {
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

  const login = () => anybody.auth.login.mutate({ tenant, username: "ada", password });
  const refresh = (refreshToken: string) => anybody.auth.refresh.mutate({ refreshToken });

  /** What the log has of a session. */
  const eventsOf = async (sessionId: string, tenantId: TenantId) => {
    const types: string[] = [];
    for await (const { type } of eventLog.readStream(streamName("session", tenantId, sessionId)))
      types.push(type);
    return types;
  };
  const sessionOf = ({ refreshToken }: { refreshToken: string }) =>
    SessionId.parse(Buffer.from(refreshToken, "base64url").toString().split(".")[0]);

  test("somebody who was enrolled a moment ago gets in", async () => {
    const answer = await anybody.auth.login.mutate({ tenant, username: " Ada", password });
    expect(answer).toMatchObject({ tenantId: school.tenantId, roles: ["student"] });
    expect(Date.parse(answer.expiresAt)).toBeGreaterThan(Date.now() + 590_000);
    const me = await clientOf(workers.gateway.url, answer.accessToken).people.me.query();
    expect(me).toMatchObject({ userId: answer.userId, username: "ada", name: "Ada", stale: false });
  });

  test("a login is written to the log after its answer", async () => {
    const answer = await login();
    await expect.poll(() => eventsOf(sessionOf(answer), answer.tenantId)).toEqual(["LoggedIn"]);
  });

  test("a wrong password and an unknown user are told the same, an unknown school is said to be unknown", async () => {
    const wrong = await refusal(
      anybody.auth.login.mutate({ tenant, username: "ada", password: "correct house" }),
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

  test("a refresh gives new tokens with the roles of now", async () => {
    const first = await login();
    await school.admin.client.people.assignRoles.mutate({
      userId: first.userId,
      roles: ["student", "auditor"],
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
