import type { AssignmentId, ClassId, Instant, TenantId, UserId } from "@carillon/domain";
import type { RecordedEvent } from "@carillon/platform";
import type { Transaction } from "kysely";
import { changesOf, type Projection, type RowChanges } from "../../../rows/projection.ts";
import { changeRows, patch, put, revise } from "../../../rows/row-change.ts";
import { idOf } from "../../../rows/stream-id.ts";
import { countAttempts, countLateAgain, countStudents } from "./class-progress-counts.ts";
import { assessments, attempts, classes, students, tenants, version } from "./class-progress-tables.ts";
import { countingAttempts, type StudentWork } from "./counting-attempts.ts";

const joined = (classId: ClassId, studentId: UserId) =>
  revise(students, { classId, studentId }, (before) =>
    before?.present ? before : { classId, studentId, present: true },
  );

const left = (classId: ClassId, studentId: UserId) =>
  patch(students, { classId, studentId }, { present: false });

type HandedIn = Extract<RecordedEvent, { type: "SubmissionCommitted" | "SubmissionRecorded" }>;
type SubmissionEvent = HandedIn | Extract<RecordedEvent, { type: "SubmissionGraded" | "SubmissionLapsed" }>;

const attempted = (event: HandedIn, handedInAt: Instant, banked: boolean) =>
  put(attempts, {
    ...attemptOf(event),
    handedInAt,
    banked,
    score: null,
    lapsed: false,
    position: String(event.position),
  });

const attemptOf = (event: SubmissionEvent) => ({
  assignmentId: event.data.assignmentId,
  studentId: event.data.studentId,
  submissionId: idOf(event),
});

const changes: RowChanges = {
  TenantEnrolled: ({ data }) => put(tenants, data),
  ClassOpened: (event) => put(classes, { ...event.data, classId: idOf(event) }),
  StudentJoinedClass: ({ data }) => joined(data.classId, data.studentId),
  StudentLeftClass: ({ data }) => left(data.classId, data.studentId),
  AssignmentPublished: (event) => put(assessments, { ...event.data, assignmentId: idOf(event) }),
  AssignmentRescheduled: (event) =>
    patch(assessments, { assignmentId: idOf(event) }, { dueAt: event.data.dueAt }),
  SubmissionCommitted: (event) => attempted(event, event.data.committedAt, false),
  SubmissionRecorded: (event) => attempted(event, event.data.handedInAt, event.data.banked),
  SubmissionLapsed: (event) => patch(attempts, attemptOf(event), { lapsed: true }),
  SubmissionGraded: (event) => patch(attempts, attemptOf(event), { score: event.data.score }),
};

async function apply(
  tx: Transaction<unknown>,
  tenantId: TenantId,
  events: readonly RecordedEvent[],
): Promise<void> {
  const work = workIn(events);
  const before = await countingAttempts(tx, tenantId, work);
  const revised = await changeRows(tx, tenantId, changesOf(changes, events));
  await countStudents(tx, tenantId, revised.of(students));
  const after = await countingAttempts(tx, tenantId, work);
  const rescheduled = new Set<AssignmentId>(
    events.flatMap((event) => (event.type === "AssignmentRescheduled" ? [idOf(event)] : [])),
  );
  await countAttempts(tx, tenantId, before, after, rescheduled);
  await countLateAgain(tx, tenantId, [...rescheduled]);
}

/** Whose attempts at what these events are of. */
function workIn(events: readonly RecordedEvent[]): StudentWork[] {
  const work = new Map<string, StudentWork>();
  for (const event of events) {
    if (!isOfAttempt(event)) continue;
    const { assignmentId, studentId } = event.data;
    work.set(`${assignmentId} ${studentId}`, { assignmentId, studentId });
  }
  return [...work.values()];
}

const isOfAttempt = (event: RecordedEvent): event is SubmissionEvent =>
  event.type === "SubmissionCommitted" ||
  event.type === "SubmissionRecorded" ||
  event.type === "SubmissionLapsed" ||
  event.type === "SubmissionGraded";

/** How each class does with each assessment, counted up as events arrive. */
export const classProgress: Projection = {
  name: "class_progress",
  version,
  database: "reports",
  takes: new Set(Object.keys(changes)),
  apply,
};
