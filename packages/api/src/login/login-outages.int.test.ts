import { type AuthDatabase, streamName, type TenantId } from "@carillon/domain";
import { connectDatabase, connectEventLog, type EventLog } from "@carillon/platform";
import {
  type Client,
  clientOf,
  comingBack,
  openSchool,
  refusal,
  runtimes,
  type School,
  sessionOf,
  settingsFor,
  startServers,
  startWorker,
  startWorkers,
  type TestWorker,
  type Workers,
} from "@carillon/testkit";
import { hashSync } from "@node-rs/argon2";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";

// Each test breaks something, so each has servers of its own.

const password = "correct horse battery staple";
const another = "seven loud bells at nine";
const passwordHash = hashSync(password);
const tenant = "outages";

describe.each(runtimes)("login in an outage, on %s", (runtime) => {
  let servers: Awaited<ReturnType<typeof startServers>>;
  let eventLog: EventLog;
  let workers: Workers;
  let school: School;
  let anybody: Client;
  let others: TestWorker[];
  beforeEach(async () => {
    servers = await startServers();
    others = [];
    eventLog = connectEventLog(servers.log.EVENTSTORE_URL);
    workers = await startWorkers(runtime, servers);
    school = await openSchool(workers.gateway.url, servers.signingKey, tenant);
    anybody = clientOf(workers.gateway.url);
  });
  afterEach(async () => {
    for (const worker of others) await worker.kill9();
    for (const worker of [workers?.gateway, workers?.auth, workers?.api, workers?.reports])
      await worker?.kill9();
    eventLog?.close();
    await servers?.stop();
  });

  const enroll = (username: string) =>
    school.admin.client.people.enroll.mutate({ username, name: username, roles: ["student"], passwordHash });
  const login = (username: string, given = password, at = anybody) =>
    comingBack(() => at.auth.login.mutate({ tenant, username, password: given }));

  const eventsOf = async (answer: { accessToken: string; tenantId: TenantId }) => {
    const types: string[] = [];
    const stream = streamName("session", answer.tenantId, sessionOf(answer));
    for await (const { type } of eventLog.readStream(stream)) types.push(type);
    return types;
  };

  const startPipeline = async () => {
    const relay = await servers.startRelay();
    const projector = await servers.startProjector("auth", "credentials");
    others.push(relay, projector);
    return projector;
  };
  /** How many events the projector has gone past. */
  const projected = async () => {
    const metrics = await (await fetch(`${others[1]?.url}/metrics`)).text();
    return Number(/^carillon_projection_events_total\{.*\} (\d+)$/m.exec(metrics)?.[1] ?? 0);
  };

  test("a projector that stands still refuses nobody who was enrolled since, and no changed password", async () => {
    await enroll("ada");
    const projector = await startPipeline();
    await expect.poll(projected).toBeGreaterThan(0);
    await projector.kill9();
    await enroll("bob");
    await login("bob");
    const { accessToken } = await login("ada");
    await comingBack(() =>
      clientOf(workers.gateway.url, accessToken).auth.changePassword.mutate({
        currentPassword: password,
        newPassword: another,
      }),
    );
    expect(await refusal(login("ada"))).toMatchObject({ errorCode: "login_refused" });
    await login("ada", another);
  });

  test("while the log is away the view lets people in, refuses nobody, and the logins come into the log later", async () => {
    await enroll("ada");
    await startPipeline();
    const view = connectDatabase<AuthDatabase>(servers.reader("auth"), { name: "test", maxConnections: 1 });
    onTestFinished(() => view.close());
    const inView = () =>
      view.withTenant(school.tenantId, (tx) =>
        tx
          .selectFrom("credentials.accounts")
          .select("username")
          .where("username", "=", "ada")
          .where("password_hash", "is not", null)
          .execute(),
      );
    await expect.poll(inView).toHaveLength(1);
    await servers.eventStore.kill9();
    const answers = [];
    for (const _ of [1, 2]) answers.push(await login("ada"));
    const both = await Promise.all([login("ada"), login("ada")]);
    expect(await refusal(login("ada", "a wrong one"))).toMatchObject({ errorCode: "unavailable" });
    expect(await refusal(login("nobody"))).toMatchObject({ errorCode: "unavailable" });
    await anybody.auth.refresh.mutate(answers[0] ?? { refreshToken: "" });
    const readiness = await (await fetch(`${workers.auth.url}/readyz`)).text();
    expect(readiness).toContain("logins go by the view");
    await servers.eventStore.restart();
    for (const answer of [...answers, ...both]) {
      await expect.poll(() => eventsOf(answer)).toEqual(["LoggedIn"]);
    }
  });

  test("a worker that is killed right after logins loses none of them, and writes each once", async () => {
    const usernames = Array.from({ length: 20 }, (_, index) => `student.${index}`);
    await Promise.all(usernames.map(enroll));
    const direct = clientOf(workers.auth.url);
    const answers = await Promise.all(usernames.map((username) => login(username, password, direct)));
    await workers.auth.kill9();
    const restarted = await startWorker(runtime, "auth", settingsFor(servers).auth);
    others.push(restarted);
    for (const answer of answers) {
      await expect.poll(() => eventsOf(answer)).toEqual(["LoggedIn"]);
    }
    await clientOf(restarted.url).auth.refresh.mutate(answers[0] ?? { refreshToken: "" });
  });

  test("a worker that is stopped has written the logins and refusals that it took", async () => {
    await enroll("ada");
    const answers = await Promise.all([login("ada"), login("ada"), login("ada")]);
    await refusal(login("ada", "a wrong one"));
    expect(await workers.auth.stop()).toBe(0);
    for (const answer of answers) expect(await eventsOf(answer)).toEqual(["LoggedIn"]);
    const refused = [];
    for await (const { type } of eventLog.readAll(undefined)) if (type === "LoginRefused") refused.push(type);
    expect(refused).toHaveLength(1);
  });
});
