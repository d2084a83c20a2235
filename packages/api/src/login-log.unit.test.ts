import { CarillonError, type Instant, SessionId, tenantIdOf, userIdOf } from "@carillon/domain";
import { commandContext, type EventLog } from "@carillon/platform";
import { expect, test } from "vitest";
import { openLoginLog, type SessionEntry } from "./login-log.ts";

const tenantId = tenantIdOf("riverside-high");
const userId = userIdOf(tenantId, "ada");
const context = commandContext(tenantId, userId, "2026-09-01T08:59:00.000Z" as Instant);

const login = (): SessionEntry => {
  const sessionId = SessionId.parse(crypto.randomUUID());
  return { sessionId, command: { type: "Login", sessionId, userId, refusal: null }, context };
};

/** A log that first fails in these ways, and what was written to it. */
function failing(...failures: Error[]) {
  const written: string[] = [];
  const execute = async (_decider: unknown, id: string) => {
    const failure = failures.shift();
    if (failure) throw failure;
    written.push(id);
  };
  return { written, execute: execute as unknown as EventLog["execute"] };
}
const silent = { warn: () => {} };

test("entries are written in order, also where the log could not be reached for a while", async () => {
  const away = new CarillonError("unavailable", "The event log cannot be reached.");
  const eventLog = failing(away, away);
  const loginLog = openLoginLog(eventLog, silent);
  const entries = [login(), login(), login()];
  for (const entry of entries) await loginLog.record(entry);
  await loginLog.drain();
  expect(eventLog.written).toEqual(entries.map(({ sessionId }) => sessionId));
});

test("an entry that can never be written does not stop the others", async () => {
  const eventLog = failing(new CarillonError("session_ended", "There is no such session."));
  const loginLog = openLoginLog(eventLog, silent);
  const [first, second] = [login(), login()];
  await loginLog.record(first);
  await loginLog.record(second);
  await loginLog.drain();
  expect(eventLog.written).toEqual([second.sessionId]);
});

test("who comes to a full buffer waits until an entry is written", async () => {
  const released = Promise.withResolvers<void>();
  let written = 0;
  const execute = async () => {
    await released.promise;
    written++;
  };
  const loginLog = openLoginLog({ execute: execute as unknown as EventLog["execute"] }, silent);
  for (let taken = 0; taken < 1_000; taken++) await loginLog.record(login());
  const late = loginLog.record(login()).then(() => written);
  released.resolve();
  expect(await late).toBeGreaterThan(0);
  await loginLog.drain();
  expect(written).toBe(1_001);
});
