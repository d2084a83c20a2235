import {
  assignmentDecider,
  classDecider,
  instantOf,
  membershipDecider,
  membershipIdOf,
} from "@carillon/domain";
import type { EventLog } from "@carillon/platform";
import pMap from "p-map";
import { appendsInFlight, enrollPerson, enrollSchool, setUpContext } from "../harness/enroll.ts";
import { quiz } from "./answers.ts";
import type { Schools } from "./schools.ts";

/** Every quiz is due in so long, in milliseconds: nothing is late. */
const dueInMs = 86_400_000;

/** Enrols the schools straight through the event log: classes, quizzes, students. */
export async function enrollSchools(log: EventLog, { classes, students }: Schools): Promise<void> {
  const at = instantOf(new Date());
  const dueAt = instantOf(new Date(Date.now() + dueInMs));
  for (const slug of new Set(classes.map((schoolClass) => schoolClass.slug))) await enrollSchool(log, slug);
  await each(classes, async ({ tenantId, classId, code }) => {
    const profile = { code, title: code, startsOn: "2026-09-01", lengthDays: 300 };
    await log.execute(classDecider, tenantId, classId, [
      { command: { type: "OpenClass", profile }, context: setUpContext(tenantId) },
    ]);
  });
  const assignments = classes.flatMap((schoolClass) =>
    schoolClass.assignments.map((assignment) => ({ ...schoolClass, assignment })),
  );
  await each(assignments, async ({ tenantId, classId, assignment: { id, code } }) => {
    const publish = {
      type: "PublishAssignment",
      classId,
      classOpened: true,
      profile: quiz(code),
      dueAt,
      at,
    } as const;
    await log.execute(assignmentDecider, tenantId, id, [
      { command: publish, context: setUpContext(tenantId) },
    ]);
  });
  await each(students, async ({ username, id: userId, schoolClass: { tenantId, classId } }) => {
    await enrollPerson(log, tenantId, username, "student");
    const join = {
      type: "JoinClass",
      classId,
      userId,
      as: "student",
      classOpened: true,
      userEnrolled: true,
    } as const;
    await log.execute(
      membershipDecider,
      tenantId,
      membershipIdOf(classId, userId),
      [{ command: join, context: setUpContext(tenantId) }],
      { expectNew: true },
    );
  });
}

const each = <Item>(items: readonly Item[], send: (item: Item) => Promise<unknown>) =>
  pMap(items, send, { concurrency: appendsInFlight });
