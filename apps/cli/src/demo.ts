import { randomBytes, randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type AssignmentId,
  type ClassId,
  type SubmissionId,
  tenantIdOf,
  type UserId,
} from "@carillon/domain";
import { verifyReceipt } from "@carillon/platform";
import { z } from "zod";
import { createClient, createOperatorClient } from "./operator/operator-client.ts";
import type { Platform } from "./operator/platform-address.ts";
import { writePrivately } from "./up/folder/write-privately.ts";

const slug = "demo-school";
const accounts = [
  { username: "tess.teacher", name: "Tess Teacher", roles: ["teacher" as const] },
  { username: "sam.student", name: "Sam Student", roles: ["student" as const] },
] as const;

/** The password of the demo's accounts: drawn once for a folder, so that no other demo has the same. */
function demoPassword(folder: string): string {
  const file = join(folder, "demo.json");
  if (existsSync(file))
    return z.object({ password: z.string() }).parse(JSON.parse(readFileSync(file, "utf8"))).password;
  const password = randomBytes(9).toString("base64url");
  writePrivately(file, { password });
  return password;
}

const code = "BELLS-101";

type Say = (line: string) => void;
type Client = ReturnType<typeof createClient>;

/** A person who has logged in. */
interface Person {
  readonly userId: UserId;
  readonly client: Client;
}

/**
 * One short school day through the gateway: enrol, log in, open a class, publish, hand in, check the receipt, grade,
 * report. Each start of the platform adds one assignment; everything else is there from the first.
 *
 * @param say prints one line
 */
export async function runSchoolDay(platform: Platform, folder: string, say: Say): Promise<void> {
  const password = demoPassword(folder);
  const operator = await createOperatorClient(platform, tenantIdOf(slug));
  await enrolSchool(operator, password, say);
  const [teacher, student] = await Promise.all(
    accounts.map((account) => logIn(platform, account, password, say)),
  );
  if (!teacher || !student) throw new Error("the demo needs its two people");

  const classId = await openClass(operator, teacher, student);
  const essay = await publishEssay(teacher, classId, say);
  const submissionId = await handInEssay(platform, student, essay.assignmentId, say);
  const graded = await teacher.client.submissions.grade.mutate({
    submissionId,
    score: 92,
    feedback: "Well rung.",
  });
  say("Grade          92 of 100");
  await printReport(teacher, essay.code, graded.position, say);

  say("");
  say(
    `Addresses      API ${platform.url}/trpc, event log ${platform.eventstoreUrl}, NATS ${platform.natsUrl}`,
  );
  say(
    `Demo accounts  school ${slug}: ${accounts.map(({ username }) => username).join(", ")}; password ${password}`,
  );
}

async function enrolSchool(operator: Client, password: string, say: Say): Promise<void> {
  await operator.tenants.enroll.mutate({
    name: "Demo School",
    slug,
    region: "local",
    tier: "shared",
    timeZone: "Europe/London",
    locale: "en-GB",
    branding: { colour: "#1f3a5f", logoUrl: null },
  });
  say(`EnrollTenant   Demo School is enrolled as ${slug} (${tenantIdOf(slug)})`);
  for (const account of accounts)
    await operator.people.enroll.mutate({ ...account, roles: [...account.roles], password });
}

async function logIn(
  platform: Platform,
  { username, name }: (typeof accounts)[number],
  password: string,
  say: Say,
): Promise<Person> {
  const { auth } = createClient(platform.url);
  const { accessToken, userId } = await auth.login.mutate({ tenant: slug, username, password });
  say(`Login          ${name} is logged in`);
  return { userId, client: createClient(platform.url, accessToken) };
}

async function openClass(operator: Client, teacher: Person, student: Person): Promise<ClassId> {
  const { classId } = await operator.classes.open.mutate({
    code,
    title: "Why bells ring",
    startsOn: "2026-09-01",
    lengthDays: 365,
  });
  await operator.classes.join.mutate({ classId, userId: teacher.userId, as: "teacher" });
  await operator.classes.join.mutate({ classId, userId: student.userId, as: "student" });
  return classId;
}

async function publishEssay(
  { client }: Person,
  classId: ClassId,
  say: Say,
): Promise<{ readonly code: string; readonly assignmentId: AssignmentId }> {
  const essayCode = `essay-${randomUUID().slice(0, 8)}`;
  const dueAt = new Date(Date.now() + 86_400_000).toISOString();
  const { assignmentId } = await client.assignments.publish.mutate({
    classId,
    code: essayCode,
    title: "An essay on bells",
    kind: "essay",
    weight: 10,
    latePolicy: { kind: "accept" },
    dueAt,
  });
  say(`Publish        An essay on bells, due ${dueAt}`);
  return { code: essayCode, assignmentId };
}

/** Hands the essay in, and checks its receipt as anybody can: with the published keys alone. */
async function handInEssay(
  platform: Platform,
  { client }: Person,
  assignmentId: AssignmentId,
  say: Say,
): Promise<SubmissionId> {
  const essay = Buffer.from("Bells ring because somebody decided when.\n");
  const { submissionId, receipt } = await client.submissions.submit.mutate({
    assignmentId,
    key: "first",
    file: { name: "essay.txt", mediaType: "text/plain", base64: essay.toString("base64") },
  });
  say(`Submit         essay.txt, ${essay.length} bytes, as submission ${submissionId}`);
  const keys = await (await fetch(`${platform.url}/.well-known/receipts.json`)).json();
  const { sha256, committedAt, revision, position } = await verifyReceipt(receipt, keys);
  say(
    `Receipt        checked: sha256 ${sha256.slice(0, 16)}…, committed ${committedAt}, revision ${revision}, position ${position}`,
  );
  return submissionId;
}

/** Prints the class's report once it shows what happened up to a position of the log. */
async function printReport({ client }: Person, essayCode: string, atLeast: string, say: Say): Promise<void> {
  const report = await caughtUp(() => client.reports.classProgress.query({ class: code, atLeast }));
  const line = report.assessments.find(({ assessment }) => assessment === essayCode);
  if (report.stale || !line) throw new Error("the report has not caught up");
  say(
    `Report         ${code}: ${report.registered} registered; ${line.assessment}: ${line.submitted} submitted, ` +
      `${line.late} late, mean ${line.meanScore}, as of ${report.asOf.at}`,
  );
}

/** How often a report is asked for: each time the service waits for it for two seconds. */
const questions = 15;

/** Asks again while a report is stale: where the machine is busy, as at a start, it comes later than a question waits. */
async function caughtUp<Report extends { stale: boolean }>(ask: () => Promise<Report>): Promise<Report> {
  for (let left = questions - 1; left > 0; left--) {
    const report = await ask();
    if (!report.stale) return report;
  }
  return ask();
}
