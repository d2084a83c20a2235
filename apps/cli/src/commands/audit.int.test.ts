import { execFile } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import {
  type AssignmentId,
  type AssignmentState,
  assignmentDecider,
  assignmentIdOf,
  type Category,
  classDecider,
  classIdOf,
  type Decider,
  type DomainEvent,
  type Instant,
  instantOf,
  type MembershipState,
  membershipDecider,
  membershipIdOf,
  personDecider,
  type StreamIds,
  sessionDecider,
  submissionDecider,
  submissionIdOf,
  tenantDecider,
  tenantIdOf,
  userIdOf,
} from "@carillon/domain";
import { commandContext, connectEventLog, type EventLog } from "@carillon/platform";
import { bareEnvironment, type CommandRun, test } from "@carillon/testkit";
import { parse } from "csv-parse/sync";
import { afterAll, describe, expect } from "vitest";

let log: EventLog;
let env: Record<string, string>;

const slug = "north";
const tenantId = tenantIdOf(slug);
const classId = classIdOf(tenantId, "A");
const assignmentId = assignmentIdOf(classId, "1");
const ada = userIdOf(tenantId, "ada");
const submissionOf = (username: string, key: string) =>
  submissionIdOf(tenantId, assignmentId, userIdOf(tenantId, username), key);
/** A key that a spreadsheet would calculate. */
const formula = '=HYPERLINK("http://evil.example")';

test.beforeAll(async ({ eventStore }) => {
  log = connectEventLog(eventStore.url);
  env = {
    ...bareEnvironment(),
    CARILLON_URL: "http://127.0.0.1:9",
    EVENTSTORE_URL: eventStore.url,
    NATS_URL: "nats://127.0.0.1:9",
    AUTH_SIGNING_KEYS: JSON.stringify([{ kty: "OKP", crv: "Ed25519", x: "x", d: "d", kid: "k" }]),
  };
  await schoolDay();
});
afterAll(() => log?.close());

const send = <Command, Event extends DomainEvent, State, Kind extends Category>(
  decider: Decider<Command, Event, State, Kind>,
  id: StreamIds[Kind],
  command: Command,
  of = tenantId,
) =>
  log.execute(decider, of, id, [
    { command, context: commandContext(of, "system:test", instantOf(new Date("2020-01-01T00:00:00Z"))) },
  ]);

async function enroll(school: string) {
  await send(
    tenantDecider,
    tenantIdOf(school),
    {
      type: "EnrollTenant",
      profile: {
        name: school,
        slug: school,
        region: "eu",
        tier: "shared",
        timeZone: "UTC",
        locale: "en-GB",
        branding: { colour: "#1a2b3c", logoUrl: null },
      },
    },
    tenantIdOf(school),
  );
}

/** Two students hand in; ada twice, and logs in once. */
async function schoolDay() {
  await enroll(slug);
  await enroll("south");
  const profile = { code: "A", title: "A", startsOn: "2026-09-01", lengthDays: 100 };
  await send(classDecider, classId, { type: "OpenClass", profile });
  const { state: assignment } = await send(assignmentDecider, assignmentId, {
    type: "PublishAssignment",
    classId,
    classOpened: true,
    profile: {
      code: "1",
      title: "One",
      kind: "TMA",
      weight: 10,
      latePolicy: { kind: "accept" },
      graceSeconds: 0,
      counts: "last",
      answerKey: null,
    },
    dueAt: null,
    at: instantOf(new Date()),
  });
  for (const username of ["ada", "grace"]) {
    const userId = userIdOf(tenantId, username);
    await send(personDecider, userId, {
      type: "EnrollUser",
      profile: { username, name: "Somebody", email: null },
      roles: ["student"],
      passwordHash: "$argon2id$secret",
    });
    const { state: membership } = await send(membershipDecider, membershipIdOf(classId, userId), {
      type: "JoinClass",
      classId,
      userId,
      as: "student",
      classOpened: true,
      userEnrolled: true,
    });
    await handIn(username, "first", assignment, membership);
  }
  await handIn("ada", formula, assignment, "student");
  await send(submissionDecider, submissionOf("ada", "first"), {
    type: "GradeSubmission",
    score: 61.5,
    feedback: 'Well,\n"done"',
  });
  const sessionId = crypto.randomUUID() as Parameters<typeof sessionOf>[0];
  await sessionOf(sessionId);
}

const sessionOf = (sessionId: Extract<DomainEvent, { type: "LoggedIn" }>["data"]["sessionId"]) =>
  send(sessionDecider, sessionId, { type: "Login", sessionId, userId: ada, refusal: null });

const handIn = (
  username: string,
  key: string,
  assignment: AssignmentState,
  membership: MembershipState,
  of: AssignmentId = assignmentId,
) =>
  send(submissionDecider, submissionOf(username, key), {
    type: "CommitSubmission",
    facts: { assignmentId: of, studentId: userIdOf(tenantId, username), assignment, membership },
    key,
    content: { sha256: "a".repeat(64), bytes: 5, name: "essay.txt", mediaType: "text/plain" },
    at: instantOf(new Date()),
    uploadBy: null,
  });

const main = join(import.meta.dirname, "../main.ts");

const replay = (...args: string[]) =>
  new Promise<CommandRun>((done) => {
    execFile(process.execPath, [main, "audit", "replay", ...args], { env }, (error, stdout, stderr) =>
      done({ code: typeof error?.code === "number" ? error.code : error ? -1 : 0, stdout, stderr }),
    );
  });

interface Replayed {
  type: string;
  stream: string;
  created: Instant;
  position: string;
  data: { studentId?: string; hash?: string };
}

async function replayed(...args: string[]): Promise<Replayed[]> {
  const run = await replay(...args, "--json");
  expect(run).toMatchObject({ code: 0, stderr: "" });
  return JSON.parse(run.stdout) as Replayed[];
}

const types = (events: readonly Replayed[]) => events.map(({ type }) => type);

const adasHistory = [
  "UserEnrolled",
  "PasswordSet",
  "StudentJoinedClass",
  "SubmissionCommitted",
  "SubmissionCommitted",
  "SubmissionGraded",
];

describe("the history", () => {
  test("of a student is everything of theirs, by username or id, without their logins", async () => {
    const byName = await replayed("--tenant", slug, "--student", "Ada");
    expect(types(byName)).toEqual(adasHistory);
    expect(await replayed("--student", ada)).toEqual(byName);
    expect(types(await replayed("--tenant", slug, "--student", ada, "--sessions"))).toEqual([
      ...adasHistory,
      "LoggedIn",
    ]);
  });

  test("of an assignment is itself and everything that was handed in for it", async () => {
    const found = await replayed("--assignment", assignmentId);
    expect(types(found)).toEqual([
      "AssignmentPublished",
      "SubmissionCommitted",
      "SubmissionCommitted",
      "SubmissionCommitted",
      "SubmissionGraded",
    ]);
    expect(new Set(found.flatMap(({ data }) => data.studentId ?? []))).toEqual(
      new Set([ada, userIdOf(tenantId, "grace")]),
    );
  });

  test("of a school is all of its events in the order of the log, and none of another's", async () => {
    const found = await replayed("--tenant", slug);
    const positions = found.map(({ position }) => Number(position));
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
    expect(types(found).filter((type) => type === "TenantEnrolled")).toHaveLength(1);
    expect(types(found)).toContain("LoggedIn");
    expect(found.every(({ stream }) => stream.includes(tenantId))).toBe(true);
  });

  test("of a submission is its own stream", async () => {
    const id = submissionOf("ada", "first");
    for (const args of [[], ["--tenant", slug]]) {
      expect(types(await replayed("--submission", id, ...args))).toEqual([
        "SubmissionCommitted",
        "SubmissionGraded",
      ]);
    }
  });
});

describe("until a time", () => {
  test("is what the log had written by then, whatever day events say that they happened on", async () => {
    const all = await replayed("--tenant", slug, "--student", "ada");
    // Another event, surely later by the log's clock.
    const last = Date.parse(all.at(-1)?.created ?? "");
    await expect.poll(() => Date.now(), { interval: 1 }).toBeGreaterThan(last);
    await send(submissionDecider, submissionOf("ada", "first"), {
      type: "GradeSubmission",
      score: 70,
      feedback: null,
    });
    const more = await replayed("--tenant", slug, "--student", "ada");
    expect(more).toHaveLength(all.length + 1);
    const before = all.at(-1)?.created ?? "";
    for (const who of [
      ["--student", "ada"],
      ["--submission", submissionOf("ada", "first")],
    ]) {
      const then = await replayed("--tenant", slug, ...who, "--until", before);
      expect(types(then).filter((type) => type === "SubmissionGraded")).toHaveLength(1);
    }
    expect(await replayed("--tenant", slug, "--until", "2020-06-01T00:00:00+02:00")).toEqual([]);
  });
});

describe("a table", () => {
  test("is read back figure by figure, and holds no formula", async () => {
    const { stdout } = await replay("--tenant", slug, "--format", "csv");
    const rows = parse<Record<string, string>>(stdout, { columns: true });
    const events = await replayed("--tenant", slug);
    expect(rows.map(({ position }) => position)).toEqual(events.map(({ position }) => position));
    expect(rows.map(({ data }) => JSON.parse(data ?? ""))).toEqual(events.map(({ data }) => data));
    expect(rows.find(({ type }) => type === "SubmissionGraded")).toMatchObject({
      score: "61.5",
      studentId: ada,
      assignmentId,
      occurredAt: "2020-01-01T00:00:00.000Z",
      actor: "system:test",
    });
    expect(rows.find(({ key }) => key?.includes("HYPERLINK"))).toMatchObject({
      key: `'${formula}`,
      late: "false",
      sha256: "a".repeat(64),
    });
    expect(rows.every((row) => Object.values(row).every((field) => !/^[=+\-@]/.test(field)))).toBe(true);
  });

  test("is the same events as NDJSON and as text, one a line", async () => {
    const [ndjson, text] = [
      await replay("--tenant", slug, "--format", "ndjson"),
      await replay("--tenant", slug),
    ];
    const events = await replayed("--tenant", slug);
    const lines = ndjson.stdout.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual(events);
    expect(text.stdout.trimEnd().split("\n")).toHaveLength(events.length);
  });
});

const nobody = "0192f3a4-5b6c-7d8e-9f01-23456789abcd";

test.each([
  [["--submission", nobody], `There is no submission ${nobody} in the log.`],
  [["--assignment", nobody], `There is no assignment ${nobody} in the log.`],
  [["--assignment", nobody, "--tenant", slug], `There is no assignment ${nobody} in the log.`],
  [["--student", nobody], `There is no person ${nobody} in the log.`],
  [["--student", "mallory", "--tenant", slug], "There is no person mallory in the log."],
  [["--student", "ada", "--tenant", "south"], "There is no person ada in the log."],
  [["--tenant", "west"], 'There is no school "west" on this platform.'],
])("what is not there is said in one line: %s", async (args, line) => {
  expect(await replay(...args)).toEqual({ code: 1, stdout: "", stderr: `carillon: ${line}\n` });
});

test.each([
  [[], "say what to replay"],
  [["--student", "ada"], "add --tenant"],
  [["--tenant", slug, "--sessions"], "--sessions goes with --student"],
  [["--tenant", slug, "--until", "yesterday"], "use a time such as"],
  [["--tenant", slug, "--json", "--format", "csv"], "cannot be used with"],
  [["--student", ada, "--assignment", assignmentId], "cannot be used with"],
])("a question that makes no sense is wrong usage: %s", async (args, reason) => {
  expect(await replay(...args)).toMatchObject({
    code: 2,
    stdout: "",
    stderr: expect.stringContaining(reason),
  });
});

test("a reader that goes away ends it quietly", async () => {
  const run = await new Promise<CommandRun>((done) => {
    const command = `"${process.execPath}" "${main}" audit replay --tenant ${slug} | true; exit \${PIPESTATUS[0]}`;
    execFile("bash", ["--norc", "-c", command], { env }, (error, stdout, stderr) =>
      done({ code: typeof error?.code === "number" ? error.code : error ? -1 : 0, stdout, stderr }),
    );
  });
  expect(run).toMatchObject({ code: 0, stderr: "" });
});
