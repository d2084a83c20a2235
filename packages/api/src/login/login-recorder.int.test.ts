import { streamName, tenantIdOf, userIdOf } from "@carillon/domain";
import { type Bus, connectBus, connectEventLog, createMetrics, type EventLog } from "@carillon/platform";
import { freePort, sharedEventStore, type TestServer, test } from "@carillon/testkit";
import { afterAll, expect, onTestFinished } from "vitest";
import { type LoginJournal, openLoginJournal } from "./login-journal.ts";
import { type LoginAttempt, openLoginLog } from "./login-recorder.ts";
import { newSessionId } from "./sessions.ts";

const tenantId = tenantIdOf("riverside-high");
const userId = userIdOf(tenantId, "ada");
const login = (): LoginAttempt => ({
  tenantId,
  userId,
  sessionId: newSessionId(),
  correlationId: crypto.randomUUID(),
});

let nats: TestServer;
let bus: Bus;
let eventLog: EventLog;
let journal: LoginJournal;
test.beforeAll(async ({ natsServer }) => {
  nats = natsServer;
  bus = await connectBus(nats.url, "test");
  eventLog = connectEventLog(await sharedEventStore());
  journal = openLoginJournal(bus);
});
afterAll(async () => {
  eventLog?.close();
  await bus?.close();
});

const open = (log: EventLog) => {
  const metrics = createMetrics("test");
  const loginLog = openLoginLog({ eventLog: log, journal, log: { warn: () => {} }, metrics });
  const dropped = async () => {
    const metric = metrics.getSingleMetric("carillon_login_refusals_dropped_total");
    return (await metric?.get())?.values[0]?.value;
  };
  return { ...loginLog, dropped };
};
const eventsOf = async ({ sessionId }: LoginAttempt) => {
  const types: string[] = [];
  for await (const { type } of eventLog.readStream(streamName("session", tenantId, sessionId)))
    types.push(type);
  return types;
};

test("a session that ends before its login was written has both in the log, in order, and each once", async () => {
  const one = login();
  const loginLog = open(eventLog);
  const end = () => loginLog.ended({ ...one, reason: "logged_out", actor: userId });
  await end();
  expect(await eventsOf(one)).toEqual(["LoggedIn", "SessionRevoked"]);
  await loginLog.accepted(one);
  await end();
  await loginLog.close();
  expect(await journal.pending()).toBe(0);
  expect(await eventsOf(one)).toEqual(["LoggedIn", "SessionRevoked"]);
});

test("an entry that was put in the journal twice is written once", async () => {
  const one = login();
  const loginLog = open(eventLog);
  await Promise.all([loginLog.accepted(one), loginLog.accepted(one)]);
  await loginLog.close();
  expect(await eventsOf(one)).toEqual(["LoggedIn"]);
});

test("of two that write, each login is written by one", async () => {
  const logins = Array.from({ length: 200 }, login);
  const [one, other] = [open(eventLog), open(eventLog)];
  await Promise.all(logins.map(one.accepted));
  await Promise.all([one.close(), other.close()]);
  for (const each of logins) expect(await eventsOf(each)).toEqual(["LoggedIn"]);
});

test("while the log is away refusals wait, and those that are too many are dropped and counted", async () => {
  const away = connectEventLog(`esdb://127.0.0.1:${await freePort()}?tls=false`, { patienceMs: 100 });
  onTestFinished(() => away.close());
  const loginLog = open(away);
  for (let index = 0; index < 1_100; index++) loginLog.refused(login(), "wrong_password");
  // Four are being written.
  expect(await loginLog.dropped()).toBe(96);
  await loginLog.close();
  expect(await loginLog.dropped()).toBe(1_100);
});

test("while NATS is away no login is promised to come into the log", async () => {
  const loginLog = open(eventLog);
  await nats.kill9();
  await expect(loginLog.accepted(login())).rejects.toMatchObject({ code: "unavailable" });
  await nats.restart();
  const one = login();
  const outcome = () =>
    loginLog.accepted(one).then(
      () => "taken",
      () => "refused",
    );
  await expect.poll(outcome).toBe("taken");
  await expect.poll(() => eventsOf(one)).toEqual(["LoggedIn"]);
  await loginLog.close();
});
