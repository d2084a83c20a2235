import { pbkdf2Sync, randomBytes } from "node:crypto";
import { personDecider, type UserId } from "@carillon/domain";
import { type Bus, connectBus, connectEventLog, type EventLog } from "@carillon/platform";
import {
  type Client,
  clientOf,
  comingBack,
  openRoundTrips,
  openSchool,
  type RoundTrips,
  refusal,
  runtimes,
  type School,
  type Servers,
  startWorkers,
  type TestWorker,
  test,
  type Workers,
} from "@carillon/testkit";
import { hashSync } from "@node-rs/argon2";
import * as bcrypt from "@node-rs/bcrypt";
import { afterAll, describe, expect } from "vitest";

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

describe.each(runtimes)("passwords on %s", (runtime) => {
  const tenant = `passwords-${runtime}`;
  const password = "correct horse battery staple";
  const another = "seven loud bells at nine";
  const passwordHash = hashSync(password);
  let workers: Workers;
  let school: School;
  let anybody: Client;
  test.beforeAll(async () => {
    workers = await startWorkers(runtime, servers);
    school = await openSchool(workers.gateway.url, servers.signingKey, tenant);
    anybody = clientOf(workers.gateway.url);
  });
  afterAll(() => workers?.stop());

  const enroll = (username: string, hash = passwordHash) =>
    school.admin.client.people.enroll.mutate({
      username,
      name: `Name of ${username}`,
      roles: ["student"],
      passwordHash: hash,
    });
  const login = (username: string, given = password, deviceToken?: string) =>
    comingBack(() => anybody.auth.login.mutate({ tenant, username, password: given, deviceToken }));
  const codeOf = async (call: Promise<unknown>) => (await refusal(call)).errorCode;
  const as = (accessToken: string) => clientOf(workers.gateway.url, accessToken);
  const state = async (userId: UserId) => (await eventLog.load(personDecider, school.tenantId, userId)).state;

  test("a changed password counts at once, ends the other sessions, and this one goes on", async () => {
    await enroll("ada");
    const [here, elsewhere] = [await login("ada"), await login("ada")];
    const change = (currentPassword: string, newPassword: string) =>
      as(here.accessToken).auth.changePassword.mutate({ currentPassword, newPassword });
    expect(await codeOf(change("a wrong one", another))).toBe("login_refused");
    expect(await codeOf(change(password, "password1"))).toBe("password_weak");
    await comingBack(() => change(password, another));
    expect(await codeOf(login("ada"))).toBe("login_refused");
    await login("ada", another);
    await trips.withinASecond(async () => {
      expect(await codeOf(as(elsewhere.accessToken).people.me.query())).toBe("session_ended");
    });
    expect(await codeOf(anybody.auth.refresh.mutate(elsewhere))).toBe("session_ended");
    await as(here.accessToken).people.me.query();
    await anybody.auth.refresh.mutate(here);
  });

  test("an admin gives somebody a temporary password, which says that it is one and ends their sessions", async () => {
    const { userId } = await enroll("bob");
    const before = await login("bob");
    expect(before.passwordIsTemporary).toBe(false);
    const { auth } = school.admin.client;
    const { temporaryPassword } = await comingBack(() => auth.resetPassword.mutate({ userId }));
    expect(temporaryPassword).toMatch(/^[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}$/);
    expect(await codeOf(login("bob"))).toBe("login_refused");
    expect(await codeOf(anybody.auth.refresh.mutate(before))).toBe("session_ended");
    const after = await login("bob", temporaryPassword ?? "");
    expect(after.passwordIsTemporary).toBe(true);
    const change = { currentPassword: temporaryPassword ?? "", newPassword: another };
    await comingBack(() => as(after.accessToken).auth.changePassword.mutate(change));
    expect((await login("bob", another)).passwordIsTemporary).toBe(false);
  });

  test("a password is reset by those who may, and only of people whose roles they may give", async () => {
    const { userId } = await enroll("cyd");
    const { accessToken } = await login("cyd");
    const { admin, operator, teacher } = school;
    expect(await codeOf(as(accessToken).auth.resetPassword.mutate({ userId: admin.userId }))).toBe(
      "forbidden",
    );
    expect(await codeOf(teacher.client.auth.resetPassword.mutate({ userId }))).toBe("forbidden");
    const boss = await operator.people.enroll.mutate({ username: "boss", name: "Boss", roles: ["operator"] });
    expect(await codeOf(admin.client.auth.resetPassword.mutate({ userId: boss.userId }))).toBe("forbidden");
    const chosen = { userId, newPassword: another };
    expect(await comingBack(() => operator.auth.resetPassword.mutate(chosen))).toMatchObject({
      temporaryPassword: null,
    });
    await login("cyd", another);
    const nobody = crypto.randomUUID() as UserId;
    expect(await codeOf(admin.client.auth.resetPassword.mutate({ userId: nobody }))).toBe("user_unknown");
  });

  const salt = randomBytes(16);
  const base64 = (bytes: Buffer) => bytes.toString("base64").replace(/=+$/, "");
  const weak = {
    bcrypt: bcrypt.hashSync(password, { cost: 4 }),
    pbkdf2: `$pbkdf2-sha256$i=1000$${base64(salt)}$${base64(pbkdf2Sync(password, salt, 1000, 32, "sha256"))}`,
    argon2: hashSync(password, { memoryCost: 4_096, timeCost: 1 }),
  };

  test.each(Object.entries(weak))(
    "a hash by weak %s is replaced when its owner logs in",
    async (kind, hash) => {
      const { userId } = await enroll(`weak.${kind}`, hash);
      await login(`weak.${kind}`);
      const stored = async () => (await state(userId))?.passwordHash;
      await expect.poll(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
      await login(`weak.${kind}`);
    },
  );

  test("somebody who guesses a password is stopped, whether or not there is such a person; its owner gets in on a known device", async () => {
    await enroll("dee");
    const { deviceToken } = await login("dee");
    const guess = (username: string) => codeOf(login(username, "a wrong guess"));
    for (const username of ["dee", "nobody.at.all"]) {
      const answers = [];
      const began = Date.now();
      for (let guesses = 0; guesses < 12; guesses++) answers.push(await guess(username));
      expect(answers).toEqual([...Array(10).fill("login_refused"), "login_locked", "login_locked"]);
      const locked = await refusal(login(username));
      expect(locked).toMatchObject({ errorCode: "login_locked", httpStatus: 429, place: null });
      // Guesses are forgotten one a minute, from the first on.
      expect(locked.retryAfterMs).toBeGreaterThanOrEqual(60_000 - (Date.now() - began) - 1);
      expect(locked.retryAfterMs).toBeLessThanOrEqual(60_000);
    }
    const owner = await login("dee", password, deviceToken);
    // Another's token, and one that we did not make, are no known device.
    await enroll("eli");
    const others = await login("eli");
    for (const token of [others.deviceToken, "nonsense"]) {
      expect(await codeOf(login("dee", password, token))).toBe("login_locked");
    }
    const change = { currentPassword: password, newPassword: another };
    await comingBack(() => as(owner.accessToken).auth.changePassword.mutate(change));
  });

  test("what stopped a guesser is in the log, once, and in the metrics", async () => {
    const reasons: string[] = [];
    await expect
      .poll(async () => {
        reasons.length = 0;
        for await (const { type, data, metadata } of eventLog.readAll(undefined)) {
          if (type !== "LoginRefused") continue;
          if ((metadata as { tenantId: string }).tenantId !== school.tenantId) continue;
          reasons.push((data as { reason: string }).reason);
        }
        return reasons.filter((reason) => reason === "too_many_attempts").length;
      })
      .toBe(2);
    expect(reasons).toContain("wrong_password");
    const metrics = await (await fetch(`${workers.auth.url}/metrics`)).text();
    expect(Number(/^carillon_login_locked_total\{.*\} (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThanOrEqual(8);
    expect(metrics).toMatch(/^carillon_login_refusals_dropped_total\{.*\} 0$/m);
  });

  test("nothing personal is printed", () => {
    const printed = Object.values(workers).flatMap((worker) => ("output" in worker ? [worker.output()] : []));
    for (const secret of [password, another, passwordHash, "Name of", "eyJ", "guess"]) {
      expect(printed.join()).not.toContain(secret);
    }
  });
});
