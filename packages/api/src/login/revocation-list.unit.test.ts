import {
  type Actor,
  instantOf,
  type Role,
  type SessionId,
  streamName,
  tenantIdOf,
  userIdOf,
} from "@carillon/domain";
import type { RecordedEvent } from "@carillon/platform";
import { v7 as uuidV7 } from "uuid";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { revocationList } from "./revocation-list.ts";

const minute = 60_000;
const tenantId = tenantIdOf("riverside-high");
const [ada, bob] = [userIdOf(tenantId, "ada"), userIdOf(tenantId, "bob")];

let list: ReturnType<typeof revocationList>;
beforeEach(() => {
  // Time stands still, so that what is said to happen in one millisecond does.
  vi.useFakeTimers({ toFake: ["Date"] });
  list = revocationList({ userMs: 60 * minute, sessionMs: 11 * minute });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A session that began so long ago. */
const session = (agoMs: number) => uuidV7({ msecs: Date.now() - agoMs }) as SessionId;

const happened = (agoMs: number, category: "user" | "session", id: string, event: object) =>
  list.take({
    ...event,
    stream: streamName(category, tenantId, id as never),
    created: instantOf(new Date(Date.now() - agoMs)),
  } as RecordedEvent);

const revokeAll = (agoMs: number, userId: string, except: SessionId | null) =>
  happened(agoMs, "user", userId, { type: "SessionsRevoked", data: { reason: "password_changed", except } });
const revoke = (agoMs: number, sessionId: SessionId) =>
  happened(agoMs, "session", sessionId, {
    type: "SessionRevoked",
    data: { sessionId, userId: ada, reason: "logged_out" },
  });
const assign = (agoMs: number, userId: string, ...roles: Role[]) =>
  happened(agoMs, "user", userId, { type: "UserRolesAssigned", data: { roles } });

const check = (sid: string, roles: Role[] = ["student"], sub: Actor = ada) =>
  list.check({ sub, tid: tenantId, roles, sid, region: "local" });
const ended = expect.objectContaining({ code: "session_ended" });
const expired = expect.objectContaining({ code: "token_expired" });

test("a session that was revoked has ended; another of the same person goes on", () => {
  const [one, other] = [session(5 * minute), session(5 * minute)];
  revoke(minute, one);
  expect(() => check(one)).toThrow(ended);
  expect(list.isEnded({ userId: ada, sessionId: one })).toBe(true);
  check(other);
});

test("all sessions that began before have ended, but for the one that was spared; later ones are not meant", () => {
  const [own, other, later] = [session(5 * minute), session(5 * minute), session(1)];
  revokeAll(minute, ada, own);
  check(own);
  check(later);
  check(other, ["student"], bob);
  expect(() => check(other)).toThrow(ended);
});

test("a session that began in the same millisecond has ended", () => {
  revokeAll(minute, ada, null);
  expect(() => check(session(minute))).toThrow(ended);
});

test("a session that had ended cannot spare itself", () => {
  const stolen = session(5 * minute);
  revokeAll(2 * minute, ada, null);
  revokeAll(minute, ada, stolen);
  expect(() => check(stolen)).toThrow(ended);
});

test("a session that is spared twice goes on", () => {
  const own = session(5 * minute);
  revokeAll(2 * minute, ada, own);
  revokeAll(minute, ada, own);
  check(own);
});

test("a token with other roles than the newest has only to be refreshed", () => {
  assign(2 * minute, ada, "teacher");
  assign(minute, ada, "student", "auditor");
  expect(() => check(session(5 * minute), ["student"])).toThrow(expired);
  expect(() => check(session(5 * minute), ["student", "teacher"])).toThrow(expired);
  check(session(5 * minute), ["auditor", "student"]);
  check(session(5 * minute), ["student"], bob);
  expect(list.newestRoles(ada)).toEqual(["student", "auditor"]);
});

test("a token of a program, whose session has no time, is not in question", () => {
  check("operator", ["operator"], "system:operator");
});

test("a token whose session has no time ends with all others", () => {
  revokeAll(minute, ada, null);
  expect(() => check("no id")).toThrow(ended);
});

test("what no token can remember is forgotten", () => {
  const old = session(20 * minute);
  revoke(12 * minute, old);
  revokeAll(61 * minute, ada, null);
  assign(61 * minute, ada, "teacher");
  expect(list.size()).toBe(0);
  check(old);
});

test("what was remembered is forgotten when something newer comes", () => {
  for (let n = 10; n > 0; n--) revoke(n, session(minute));
  expect(list.size()).toBe(10);
  vi.setSystemTime(Date.now() + 12 * minute);
  revoke(0, session(minute));
  expect(list.size()).toBe(1);
});
