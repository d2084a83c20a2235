import {
  type AssignmentId,
  type AssignmentState,
  assignmentDecider,
  assignmentIdOf,
  CarillonError,
  type ClassId,
  classDecider,
  classIdOf,
  type Instant,
  instantOf,
  type MembershipCommand,
  type MembershipState,
  membershipDecider,
  membershipIdOf,
  personDecider,
  type SubmissionCommand,
  submissionDecider,
  submissionIdOf,
  type TenantId,
  tenantDecider,
  tenantIdOf,
  userIdOf,
} from "@carillon/domain";
import type { CommandEnvelope, EventLog, Position } from "@carillon/platform";
import { type BulkSender, createBulkSender, type Progress, type RecordName } from "./bulk-sender.ts";
import { duringDay, endOfDay, firstDay } from "./calendar.ts";
import type { OuladTables } from "./tables.ts";

type Registration = OuladTables["registrations"][number];

export interface Imported {
  readonly tenantId: TenantId;
  readonly registrations: number;
  readonly withdrawals: number;
  readonly submissions: number;
  readonly scores: number;
  /** Events that this run added; 0 where everything was there. */
  readonly eventsAdded: number;
  /** The year's last event in the log: a report that is `atLeast` here is complete. */
  readonly position: Position;
}

/**
 * Imports a year as the commands that the school would have given. A run that goes on after a crash, or a second run,
 * makes the same events, which the log has already.
 *
 * Registrations are sent first and withdrawals last, whatever their days: some students handed in work after the day
 * on which they left. The events' `occurredAt` is the true day.
 */
export async function importOulad(
  log: EventLog,
  slug: string,
  tables: OuladTables,
  now: Date,
  progress: Progress,
): Promise<Imported> {
  const tenantId = tenantIdOf(slug);
  const sender = await createBulkSender(log, tenantId, "system:import-oulad", progress);
  const { state: school } = await log.load(tenantDecider, tenantId, tenantId);
  if (!school) await enrollSchool(sender, slug, instantOf(now));

  const classes = await openClasses(sender, tables.courses);
  const assignments = await publishAssignments(sender, tables.assessments, classes);
  const students = await enrollStudents(sender, tables.registrations);
  const join = joinCommands(sender, classes, students);
  const memberships = await registerStudents(sender, tables.registrations, join);
  await recordSubmissions(sender, tables.submissions, assignments, memberships);
  const withdrawals = await withdrawStudents(sender, tables.registrations, join);

  return {
    tenantId,
    registrations: tables.registrations.length,
    withdrawals,
    submissions: tables.submissions.length,
    scores: tables.submissions.filter(({ score }) => score !== null).length,
    ...sender.tally(),
  };
}

async function enrollSchool(sender: BulkSender, slug: string, at: Instant): Promise<void> {
  const record: RecordName = ["school", slug];
  const profile = {
    name: slug,
    slug,
    region: "local",
    tier: "shared" as const,
    timeZone: "UTC",
    locale: "en-GB",
    branding: { colour: "#1f3a5f", logoUrl: null },
  };
  await sender.send(record, tenantDecider, sender.tenantId, [
    sender.envelope(record, at, { type: "EnrollTenant", profile }),
  ]);
}

async function openClasses(sender: BulkSender, courses: OuladTables["courses"]): Promise<Set<ClassId>> {
  const opened = new Set<ClassId>();
  await sender.each("classes", courses, async (row) => {
    const record: RecordName = ["class", classCode(row)];
    const id = classOf(sender, row);
    const profile = {
      code: classCode(row),
      title: `Module ${row.code_module}, presentation ${row.code_presentation}`,
      startsOn: firstDay(row.code_presentation),
      lengthDays: row.module_presentation_length,
    };
    await sender.send(record, classDecider, id, [
      sender.envelope(record, openedAt(row), { type: "OpenClass", profile }),
    ]);
    opened.add(id);
  });
  return opened;
}

interface PublishedAssignment {
  readonly id: AssignmentId;
  readonly classId: ClassId;
  readonly presentation: string;
  readonly state: AssignmentState;
}

async function publishAssignments(
  sender: BulkSender,
  assessments: OuladTables["assessments"],
  classes: Set<ClassId>,
): Promise<Map<string, PublishedAssignment>> {
  const published = new Map<string, PublishedAssignment>();
  await sender.each("assessments", assessments, async (row) => {
    const record: RecordName = ["assessment", row.id_assessment];
    const presentation = row.code_presentation;
    const classId = classOf(sender, row);
    const id = assignmentIdOf(classId, row.id_assessment);
    const at = openedAt(row);
    const { state } = await sender.send(record, assignmentDecider, id, [
      sender.envelope(record, at, {
        type: "PublishAssignment",
        classId,
        classOpened: classes.has(classId),
        profile: {
          code: row.id_assessment,
          title: `${row.assessment_type} ${row.id_assessment}`,
          kind: row.assessment_type,
          weight: row.weight,
          latePolicy: { kind: "accept" },
          graceSeconds: 0,
          counts: "last",
          answerKey: null,
        },
        dueAt: row.date === null ? null : endOfDay(presentation, row.date),
        at,
      }),
    ]);
    published.set(row.id_assessment, { id, classId, presentation, state });
  });
  return published;
}

/** Enrols every student once, at their first registration: before that the school did not know them. */
async function enrollStudents(
  sender: BulkSender,
  registrations: readonly Registration[],
): Promise<Set<string>> {
  const firstSeen = new Map<string, Instant>();
  for (const row of registrations) {
    const at = registeredAt(row);
    const known = firstSeen.get(row.id_student);
    if (known === undefined || at < known) firstSeen.set(row.id_student, at);
  }
  const enrolled = new Set<string>();
  await sender.each("students", [...firstSeen], async ([student, at]) => {
    const record: RecordName = ["student", student];
    const profile = { username: usernameOf(student), name: `Student ${student}`, email: null };
    await sender.send(record, personDecider, userOf(sender, student), [
      sender.envelope(record, at, { type: "EnrollUser", profile, roles: ["student"], passwordHash: null }),
    ]);
    enrolled.add(student);
  });
  return enrolled;
}

type JoinCommand = (row: Registration) => CommandEnvelope<MembershipCommand>;

const joinCommands =
  (sender: BulkSender, classes: Set<ClassId>, students: Set<string>): JoinCommand =>
  (row) => {
    const classId = classOf(sender, row);
    return sender.envelope(["registration", classCode(row), row.id_student], registeredAt(row), {
      type: "JoinClass",
      classId,
      userId: userOf(sender, row.id_student),
      as: "student",
      classOpened: classes.has(classId),
      userEnrolled: students.has(row.id_student),
    });
  };

async function registerStudents(
  sender: BulkSender,
  registrations: readonly Registration[],
  join: JoinCommand,
): Promise<Map<string, MembershipState>> {
  const memberships = new Map<string, MembershipState>();
  await sender.each("registrations", registrations, async (row) => {
    const id = membershipOf(sender, row);
    const record: RecordName = ["registration", classCode(row), row.id_student];
    const { state } = await sender.send(record, membershipDecider, id, [join(row)]);
    memberships.set(id, state);
  });
  return memberships;
}

async function recordSubmissions(
  sender: BulkSender,
  submissions: OuladTables["submissions"],
  assignments: Map<string, PublishedAssignment>,
  memberships: Map<string, MembershipState>,
): Promise<void> {
  await sender.each("submissions", submissions, async (row) => {
    const record: RecordName = ["submission", row.id_assessment, row.id_student];
    const assignment = assignments.get(row.id_assessment);
    if (!assignment)
      throw new CarillonError("assignment_unknown", `${record.join(" ")}: there is no such assessment.`);
    const { id: assignmentId, classId, presentation, state } = assignment;
    const studentId = userOf(sender, row.id_student);
    const membership = memberships.get(membershipIdOf(classId, studentId));
    const handedInAt = duringDay(presentation, row.date_submitted);
    const recorded: CommandEnvelope<SubmissionCommand> = sender.envelope(record, handedInAt, {
      type: "RecordSubmission",
      facts: { assignmentId, studentId, assignment: state, membership },
      key: submissionKey,
      handedInAt,
      banked: row.is_banked,
    });
    const graded: CommandEnvelope<SubmissionCommand>[] =
      row.score === null
        ? []
        : [
            sender.envelope(["score", row.id_assessment, row.id_student], handedInAt, {
              type: "GradeSubmission",
              score: row.score,
              feedback: null,
            }),
          ];
    const id = submissionIdOf(sender.tenantId, assignmentId, studentId, submissionKey);
    await sender.send(record, submissionDecider, id, [recorded, ...graded]);
  });
}

async function withdrawStudents(
  sender: BulkSender,
  registrations: readonly Registration[],
  join: JoinCommand,
): Promise<number> {
  const withdrawals = registrations.flatMap((row) =>
    row.date_unregistration === null ? [] : [{ row, day: row.date_unregistration }],
  );
  await sender.each("withdrawals", withdrawals, async ({ row, day }) => {
    const record: RecordName = ["withdrawal", classCode(row), row.id_student];
    const leave: CommandEnvelope<MembershipCommand> = sender.envelope(
      record,
      duringDay(row.code_presentation, day),
      {
        type: "LeaveClass",
        classId: classOf(sender, row),
        userId: userOf(sender, row.id_student),
      },
    );
    // The joining is said again: a stream is sent from its first event, so that the log knows what it has of it.
    await sender.send(record, membershipDecider, membershipOf(sender, row), [join(row), leave]);
  });
  return withdrawals.length;
}

/** Each student hands in each assessment once. */
const submissionKey = "oulad";

interface Presentation {
  readonly code_module: string;
  readonly code_presentation: string;
}

/** The code of the class that a presentation becomes. */
export const classCode = (row: Presentation) => `${row.code_module}-${row.code_presentation}`;
const classOf = (sender: BulkSender, row: Presentation) => classIdOf(sender.tenantId, classCode(row));
/** The username that a student of the dataset gets. */
export const usernameOf = (student: string) => `oulad-${student.toLowerCase()}`;
const userOf = (sender: BulkSender, student: string) => userIdOf(sender.tenantId, usernameOf(student));
const membershipOf = (sender: BulkSender, row: Registration) =>
  membershipIdOf(classOf(sender, row), userOf(sender, row.id_student));

/** Students register up to a year before the first day: by then the class and its assignments are there. */
const openedAt = (row: Presentation) => duringDay(row.code_presentation, -365);

/** 45 registrations have no day: they count from the class's first. */
const registeredAt = (row: Registration) => duringDay(row.code_presentation, row.date_registration ?? 0);
