import {
  CarillonError,
  classDecider,
  classIdOf,
  commandIdOf,
  type Instant,
  instantOf,
  type MembershipCommand,
  membershipDecider,
  membershipIdOf,
  type PersonCommand,
  type PersonEvent,
  personDecider,
  streamName,
  tenantIdOf,
  userIdOf,
} from "@carillon/domain";
import { type TestServer, test } from "@carillon/testkit";
import { afterAll, describe, expect } from "vitest";
import {
  byFacts,
  type CommandEnvelopes,
  commandContext,
  connectEventLog,
  type EventLog,
  readStored,
  type StoredEvent,
} from "./event-log.ts";

const tenantId = tenantIdOf("riverside-high");
const now = instantOf(new Date());
const hash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA";

let server: TestServer;
let log: EventLog;

test.beforeAll(async ({ eventStore }) => {
  server = eventStore;
  log = connectEventLog(server.url, { patienceMs: 60_000 });
});

afterAll(() => log?.close());

const context = (at: Instant = now) => commandContext(tenantId, "system:test", at);

const enroll = (username: string, given = context()) =>
  log.execute(
    personDecider,
    tenantId,
    userIdOf(tenantId, username),
    [
      {
        command: {
          type: "EnrollUser",
          profile: { username, name: username, email: null },
          roles: ["student"],
          passwordHash: hash,
        },
        context: given,
      },
    ],
    { expectNew: true },
  );

const rename = (username: string, roles: ("student" | "teacher")[]) =>
  log.execute(personDecider, tenantId, userIdOf(tenantId, username), [
    { command: { type: "AssignRoles", roles }, context: context() },
  ]);

const eventsOf = async (stream: string) => {
  const events = [];
  for await (const event of log.readStream(stream)) events.push(event);
  return events;
};

/** Takes what `source` gives until `enough` of it is there. */
async function take(source: AsyncIterable<StoredEvent>, enough: (events: StoredEvent[]) => boolean) {
  const events: StoredEvent[] = [];
  for await (const event of source) {
    events.push(event);
    if (enough(events)) break;
  }
  return events;
}

describe("a command becomes events", () => {
  test("with revision, position, metadata and the state that they lead to", async () => {
    const given = context("2013-10-01T12:00:00.000Z" as Instant);
    const executed = await enroll("ada", given);
    expect(executed).toMatchObject({
      added: 2,
      revision: 1,
      state: { roles: ["student"], passwordHash: hash },
    });

    const [enrolled, password] = await eventsOf(executed.stream);
    const { commandId: _, ...metadata } = given;
    expect(enrolled).toMatchObject({
      type: "UserEnrolled",
      revision: 0,
      metadata: { ...metadata, schema: 1 },
    });
    expect(password).toMatchObject({ type: "PasswordSet", revision: 1, position: executed.position });
    expect(Date.parse(enrolled?.created ?? "")).toBeGreaterThan(Date.parse(given.occurredAt));
  });

  test("or nothing, where it is so already: then it answers where that stands", async () => {
    const first = await enroll("bob");
    expect(await enroll("bob")).toMatchObject({ added: 0, revision: 1, position: first.position });
    expect(await rename("bob", ["student"])).toMatchObject({ added: 0, position: first.position });
  });

  test("or a refusal with its code, and nothing is written", async () => {
    const refused = rename("nobody", ["teacher"]);
    await expect(refused).rejects.toThrow(CarillonError);
    await expect(refused).rejects.toMatchObject({ code: "user_unknown" });
    expect(await eventsOf(streamName("user", tenantId, userIdOf(tenantId, "nobody")))).toEqual([]);
  });

  test("several envelopes are one write: one that is refused takes the others with it", async () => {
    const classId = classIdOf(tenantId, "B");
    const userId = userIdOf(tenantId, "bea");
    const id = membershipIdOf(classId, userId);
    const join = {
      type: "JoinClass",
      classId,
      userId,
      as: "student",
      classOpened: true,
      userEnrolled: true,
    } as const;
    const leave = { type: "LeaveClass", classId, userId } as const;
    const envelope = (command: typeof join | typeof leave) => ({ command, context: context() });
    await expect(
      log.execute(membershipDecider, tenantId, id, [envelope(join), envelope(leave), envelope(leave)]),
    ).rejects.toMatchObject({
      code: "not_a_member",
    });
    expect(await log.load(membershipDecider, tenantId, id)).toEqual({ state: undefined, last: undefined });
    expect(
      await log.execute(membershipDecider, tenantId, id, [envelope(join), envelope(leave)]),
    ).toMatchObject({
      added: 2,
      revision: 1,
    });
  });
});

describe("a command that states facts of other streams", () => {
  const [classId, userId] = [classIdOf(tenantId, "D"), userIdOf(tenantId, "dee")];
  const join = (opened: boolean) =>
    [
      {
        command: {
          type: "JoinClass",
          classId,
          userId,
          as: "student",
          classOpened: opened,
          userEnrolled: true,
        },
        context: context(),
      },
    ] as const;
  /** Facts of a class, and which of them were asked for. */
  const classFacts = (recent: boolean, newest: boolean) => {
    const asked: string[] = [];
    const provide = (name: string, opened: boolean) => async () => {
      asked.push(name);
      return opened;
    };
    return { asked, recent: provide("recent", recent), newest: provide("newest", newest) };
  };

  test("is accepted by the recent ones, and refused by none but the newest", async () => {
    const id = membershipIdOf(classId, userId);
    const run = (facts: ReturnType<typeof classFacts>) =>
      log.execute(
        membershipDecider,
        tenantId,
        id,
        byFacts(facts, (opened) => join(opened)),
        {
          expectNew: true,
        },
      );
    const shut = classFacts(false, false);
    await expect(run(shut)).rejects.toMatchObject({ code: "class_unknown" });
    expect(shut.asked).toEqual(["recent", "newest"]);

    const openedMeanwhile = classFacts(false, true);
    expect(await run(openedMeanwhile)).toMatchObject({
      added: 1,
      events: [{ type: "StudentJoinedClass", data: { classId, studentId: userId } }],
    });
    expect(openedMeanwhile.asked).toEqual(["recent", "newest"]);

    const open = classFacts(true, true);
    expect(await run(open)).toMatchObject({ added: 0, events: [], revision: 0 });
    expect(open.asked).toEqual(["recent"]);
  });
});

test("a refusal is by the stream as it stands, not by how it was taken to stand", async () => {
  const refusals: unknown[] = [];
  const id = userIdOf(tenantId, "eli");
  const assign = (as: "teacher" | "student") =>
    log
      .execute(
        personDecider,
        tenantId,
        id,
        [{ command: { type: "AssignRoles", roles: [as] }, context: context() }],
        { expectNew: true },
      )
      .catch(({ code }) => refusals.push(code));
  await assign("teacher");
  expect(refusals).toEqual(["user_unknown"]);
  await enroll("eli");
  expect(await assign("teacher")).toMatchObject({ added: 1, revision: 2 });
});

describe("what has to be done before the append", () => {
  const id = userIdOf(tenantId, "fia");
  const enrollAfter = (beforeAppend: (events: readonly PersonEvent[]) => Promise<unknown>) => {
    const profile = { username: "fia", name: "Fia", email: null };
    const command: PersonCommand = { type: "EnrollUser", profile, roles: ["student"], passwordHash: null };
    return log.execute(personDecider, tenantId, id, [{ command, context: context() }], { beforeAppend });
  };

  test("is done first, and is told what was decided; where it fails nothing is written", async () => {
    const failing = enrollAfter(() => Promise.reject(new Error("the disk is full")));
    await expect(failing).rejects.toThrow("the disk is full");
    const stream = streamName("user", tenantId, id);
    expect(await eventsOf(stream)).toEqual([]);
    await enrollAfter(async (events) => {
      expect(events).toMatchObject([{ type: "UserEnrolled" }]);
      expect(await eventsOf(stream)).toEqual([]);
    });
    expect(await eventsOf(stream)).toHaveLength(1);
  });

  test("is not done where there is nothing to append", async () => {
    expect(await enrollAfter(() => Promise.reject(new Error("not again")))).toMatchObject({ added: 0 });
  });
});

describe("the same command again", () => {
  test("under its id adds nothing, even after others wrote to the stream", async () => {
    const commandId = commandIdOf(tenantId, "student", "cy");
    const first = await enroll("cy", { ...context(), commandId });
    await rename("cy", ["teacher"]);
    const again = await enroll("cy", { ...context(), commandId });
    expect(again.position).toBe(first.position);
    expect(await eventsOf(first.stream)).toHaveLength(3);
  });

  test("with more envelopes adds what is new", async () => {
    const classId = classIdOf(tenantId, "C");
    const userId = userIdOf(tenantId, "cy");
    const envelope = (command: MembershipCommand, record: string) => ({
      command,
      context: { ...context(), commandId: commandIdOf(tenantId, record) },
    });
    const join = envelope(
      { type: "JoinClass", classId, userId, as: "student", classOpened: true, userEnrolled: true },
      "join",
    );
    const leave = envelope({ type: "LeaveClass", classId, userId }, "leave");
    const id = membershipIdOf(classId, userId);
    const run = (...envelopes: CommandEnvelopes<MembershipCommand>) =>
      log.execute(membershipDecider, tenantId, id, envelopes, { expectNew: true });
    await run(join);
    await run(join, leave);
    await run(join, leave);
    const types = (await eventsOf(streamName("membership", tenantId, id))).map(({ type }) => type);
    expect(types).toEqual(["StudentJoinedClass", "StudentLeftClass"]);
  });
});

test("commands that write to one stream at once are decided again, one after another", async () => {
  await enroll("dan");
  const writers = Array.from({ length: 6 }, (_, index) =>
    rename("dan", index % 2 ? ["student"] : ["teacher"]),
  );
  const done = await Promise.all(writers);
  const added = done.reduce((sum, executed) => sum + executed.added, 0);
  const events = await eventsOf(streamName("user", tenantId, userIdOf(tenantId, "dan")));
  expect(events.map(({ revision }) => revision)).toEqual(events.map((_, index) => index));
  expect(events).toHaveLength(2 + added);
  const roles = events.slice(2).map(({ data }) => JSON.stringify(data));
  expect(roles.every((role, index) => index === 0 || role !== roles[index - 1])).toBe(true);
});

describe("following the log", () => {
  test("gives every event in order: what was there, and what comes", async () => {
    await enroll("eve");
    const stop = new AbortController();
    const head = await log.head();
    const later = enroll("fay");
    const events = await take(log.followAll(undefined, stop.signal), (all) =>
      all.some(({ stream, type }) => stream.endsWith(userIdOf(tenantId, "fay")) && type === "PasswordSet"),
    );
    stop.abort();
    await later;
    const positions = events.map(({ position }) => position);
    expect(positions).toEqual([...positions].sort((a, b) => (a < b ? -1 : 1)));
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    expect(events.every(({ type }) => !type.startsWith("$"))).toBe(true);
    expect(events.map(({ position }) => position)).toContain(head);
    expect(events.map(readStored).every(({ metadata }) => metadata.tenantId === tenantId)).toBe(true);
  });

  test("goes on after a position, for a follower and for a reader", async () => {
    const { position } = await enroll("gus");
    await enroll("hal");
    const stop = new AbortController();
    const [next] = await take(log.followAll(position, stop.signal), (all) => all.length === 1);
    stop.abort();
    expect(next).toMatchObject({ type: "UserEnrolled", data: { username: "hal" } });
    const [read] = await take(log.readAll(position), (all) => all.length === 1);
    expect(read?.id).toBe(next?.id);
  });
});

test("a stream is found by its id alone", async () => {
  const { stream } = await enroll("ida");
  expect(await log.findStream("user", userIdOf(tenantId, "ida"))).toBe(stream);
  expect(await log.findStream("submission", userIdOf(tenantId, "ida"))).toBeUndefined();
});

test("a store that is killed and comes back loses nothing and doubles nothing", async () => {
  const stop = new AbortController();
  const head = await log.head();
  const names = Array.from({ length: 300 }, (_, index) => `storm-${index}`);
  const seen = take(log.followAll(head, stop.signal), (all) => all.length === 2 * names.length);
  let done = 0;
  const writes = names.map((name) => enroll(name).then(() => done++));
  await expect.poll(() => done, { interval: 1 }).toBeGreaterThan(20);
  await server.kill9();
  await server.restart();
  await Promise.all(writes);
  const events = await seen;
  stop.abort();
  expect(new Set(events.map(({ id }) => id)).size).toBe(2 * names.length);
  const usernames = events.flatMap((event) =>
    event.type === "UserEnrolled" ? [readStored(event).data] : [],
  );
  expect(usernames.map((data) => (data as { username: string }).username).sort()).toEqual([...names].sort());
});

test("a log that cannot be reached is said to be unavailable", async () => {
  const nowhere = connectEventLog("esdb://127.0.0.1:1?tls=false", { patienceMs: 200 });
  const id = classIdOf(tenantId, "B");
  await expect(nowhere.load(classDecider, tenantId, id)).rejects.toMatchObject({ code: "unavailable" });
  nowhere.close();
});
