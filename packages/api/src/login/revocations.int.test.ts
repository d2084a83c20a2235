import {
  instantOf,
  type PersonCommand,
  personDecider,
  type Role,
  type SessionId,
  sessionDecider,
  type TenantId,
  type UserId,
  userIdOf,
} from "@carillon/domain";
import { type Bus, commandContext, connectBus } from "@carillon/platform";
import {
  enrollTenant,
  enrollUser,
  openRoundTrips,
  type Pipeline,
  type RoundTrips,
  startPipeline,
  type TestServer,
  test,
  until,
} from "@carillon/testkit";
import { afterAll, beforeEach, expect } from "vitest";
import { followRevocations, type Revocations } from "./revocations.ts";
import { newSessionId } from "./sessions.ts";

const keepMs = 660_000;

let pipeline: Pipeline;
let nats: TestServer;
let tenantId: TenantId;
let bus: Bus;
let revocations: Revocations;
let trips: RoundTrips;
let people = 0;

test.beforeAll(async ({ natsServer }) => {
  nats = natsServer;
  pipeline = await startPipeline({ natsUrl: nats.url });
  tenantId = await enrollTenant(pipeline.eventLog, "north");
  pipeline.startRelay();
  bus = await connectBus(nats.url, "verifier");
  revocations = await followRevocations(bus, { keepMs });
  await revocations.ready();
  trips = openRoundTrips(pipeline.eventLog, bus);
});
afterAll(async () => {
  trips.close();
  await revocations.close();
  await bus.close();
  await pipeline.stop();
});

/** A person of its own for each test, with a session. */
let person: { username: string; sub: UserId; sid: SessionId };
beforeEach(async () => {
  const username = `person-${++people}`;
  await enrollUser(pipeline.eventLog, tenantId, username);
  person = { username, sub: userIdOf(tenantId, username), sid: newSessionId() };
});

const command = (given: PersonCommand) =>
  pipeline.eventLog.execute(personDecider, tenantId, person.sub, [
    { command: given, context: commandContext(tenantId, "system:test", instantOf(new Date())) },
  ]);
const revokeAll = () => command({ type: "RevokeSessions", except: null });

/** What a token of the person is told: the error's code, or `taken`. */
const answer = (by = revocations, roles: Role[] = ["student"]) => {
  try {
    by.check({ sub: person.sub, tid: tenantId, roles, sid: person.sid, region: "local" });
    return "taken";
  } catch (error) {
    return (error as { code: string }).code;
  }
};
/** Waits for an answer, no longer than a revocation may take: by the clock of the bus, since a machine may be slow. */
const soon = (code: string, roles?: Role[]) =>
  trips.withinASecond(() => expect(answer(revocations, roles)).toBe(code));

test("a logout everywhere is heard within a second", async () => {
  expect(answer()).toBe("taken");
  await revokeAll();
  await soon("session_ended");
  person.sid = newSessionId();
  expect(answer()).toBe("taken");
});

test("one session that was revoked is heard of within a second", async () => {
  const context = commandContext(tenantId, "system:auth", instantOf(new Date()));
  const userId = userIdOf(tenantId, person.username);
  await pipeline.eventLog.execute(sessionDecider, tenantId, person.sid, [
    { command: { type: "Login", sessionId: person.sid, userId, refusal: null }, context },
    {
      command: { type: "RevokeSession", reason: "logged_out" },
      context: { ...context, commandId: newSessionId() },
    },
  ]);
  await soon("session_ended");
});

test("changed roles are heard within a second", async () => {
  await command({ type: "AssignRoles", roles: ["teacher"] });
  await soon("token_expired");
  expect(answer(revocations, ["teacher"])).toBe("taken");
  expect(revocations.newestRoles(tenantId, userIdOf(tenantId, person.username))).toEqual(["teacher"]);
});

test("a worker that starts later knows what was revoked before, once it is ready", async () => {
  await revokeAll();
  await soon("session_ended");
  const late = await followRevocations(bus, { keepMs });
  await late.ready();
  expect(answer(late)).toBe("session_ended");
  expect(late.notes()).toEqual([]);
  await late.close();
});

test("while the bus is away tokens are taken, and what was revoked meanwhile is heard when it is back", async () => {
  await nats.kill9();
  await until("it is noticed", () => revocations.notes().length > 0);
  await revokeAll();
  expect(answer()).toBe("taken");
  await nats.restart();
  await until("it is heard", () => answer() === "session_ended");
  await until("all of it is live", () => revocations.notes().length === 0);
});

test("a bus that lost its stream is heard again, and nothing is forgotten", async () => {
  await revokeAll();
  await soon("session_ended");
  const manager = await pipeline.bus.jetstreamManager();
  await manager.streams.delete("EVENTS");
  await revokeAll();
  const ended = person;
  person = { ...person, sub: userIdOf(tenantId, `person-${people - 1}`) };
  await revokeAll();
  await until("it is heard", () => answer() === "session_ended");
  person = ended;
  expect(answer()).toBe("session_ended");
  await until("it is live", () => revocations.notes().length === 0);
});

test("a purged stream is heard again", async () => {
  await command({ type: "AssignRoles", roles: ["teacher"] });
  await command({ type: "AssignRoles", roles: ["student"] });
  await soon("taken");
  const manager = await pipeline.bus.jetstreamManager();
  await manager.streams.purge("EVENTS");
  await revokeAll();
  await until("it is heard", () => answer() === "session_ended");
});
