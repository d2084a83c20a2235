import { type Instant, tenantIdOf, userIdOf } from "@carillon/domain";
import { type Bus, connectBus } from "@carillon/platform";
import { test } from "@carillon/testkit";
import { afterAll, expect } from "vitest";
import { newSessionId, openSessions, type Session, type SessionStore, sessionBegan } from "./sessions.ts";

const tenantId = tenantIdOf("riverside-high");
const [ada, bob] = [userIdOf(tenantId, "ada"), userIdOf(tenantId, "bob")];
const session: Session = {
  generation: 0,
  rotatedAt: "2026-09-01T08:59:00.000Z" as Instant,
  roles: ["student"],
  region: "eu-west",
};
const rotated = { ...session, generation: 1 };

let bus: Bus;
let sessions: SessionStore;
test.beforeAll(async ({ natsUrl }) => {
  bus = await connectBus(natsUrl, "test");
  sessions = openSessions(bus);
});
afterAll(() => bus?.close());

const open = async (userId = ada) => {
  const ref = { tenantId, userId, sessionId: newSessionId() };
  await sessions.create(ref, session);
  return ref;
};
const revisionOf = async (ref: Awaited<ReturnType<typeof open>>) => (await sessions.get(ref))?.revision ?? -1;

test("a session is kept as it is, and says when it began", async () => {
  const before = Date.now();
  const ref = await open();
  expect((await sessions.get(ref))?.session).toEqual(session);
  expect(sessionBegan(ref.sessionId)).toBeGreaterThanOrEqual(before);
  expect(sessionBegan(ref.sessionId)).toBeLessThanOrEqual(Date.now());
  expect(await sessions.get({ ...ref, userId: bob })).toBeUndefined();
});

test("of two that replace the same session, one succeeds", async () => {
  const ref = await open();
  const revision = await revisionOf(ref);
  const both = [rotated, rotated].map((next) => sessions.replace(ref, next, revision));
  const [newRevision, ...others] = (await Promise.all(both)).toSorted();
  expect(others).toEqual([undefined]);
  expect(await sessions.get(ref)).toEqual({ session: rotated, revision: newRevision });
});

test("a session that was ended is gone, and cannot be replaced any more", async () => {
  const ref = await open();
  const revision = await revisionOf(ref);
  await sessions.end(ref);
  expect(await sessions.get(ref)).toBeUndefined();
  expect(await sessions.replace(ref, rotated, revision)).toBeUndefined();
});

test("every session of a person is ended, and nobody else's", async () => {
  const [one, two, other] = [await open(), await open(), await open(bob)];
  const revision = await revisionOf(one);
  await sessions.endAll(tenantId, ada);
  expect([await sessions.get(one), await sessions.get(two)]).toEqual([undefined, undefined]);
  expect(await sessions.replace(one, rotated, revision)).toBeUndefined();
  expect(await sessions.get(other)).toBeDefined();
});

test("the session that goes on is left alone", async () => {
  const [own, other] = [await open(), await open()];
  await sessions.endAll(tenantId, ada, own.sessionId);
  expect(await sessions.get(own)).toBeDefined();
  expect(await sessions.get(other)).toBeUndefined();
});

test("a store that lost its data takes sessions again", async () => {
  await open();
  const manager = await bus.jetstreamManager();
  await manager.streams.delete("KV_sessions");
  // What finds the bucket gone fails, and the next call makes it again.
  await expect.poll(() => open().catch(() => undefined)).toBeDefined();
});
