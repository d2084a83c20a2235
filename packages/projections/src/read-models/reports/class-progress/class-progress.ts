import type { TenantId } from "@carillon/domain";
import type { RecordedEvent } from "@carillon/platform";
import type { Transaction } from "kysely";
import { changesOf, type Projection, type RowChanges } from "../../../rows/projection.ts";
import { changeRows, patch, put, revise } from "../../../rows/row-change.ts";
import { idOf } from "../../../rows/stream-id.ts";
import { countAttempts, countLateAgain, countStudents } from "./class-progress-counts.ts";
import { assessments, attempts, classes, students, tenants } from "./class-progress-tables.ts";
import { countingAttempts, type StudentWork } from "./counting-attempts.ts";

const joined = (class_id: string, student_id: string) =>
  revise(students, { class_id, student_id }, (before) =>
    before?.present ? before : { class_id, student_id, present: true },
  );

const left = (class_id: string, student_id: string) =>
  patch(students, { class_id, student_id }, { present: false });

type HandedIn = Extract<RecordedEvent, { type: "SubmissionCommitted" | "SubmissionRecorded" }>;
type SubmissionEvent = HandedIn | Extract<RecordedEvent, { type: "SubmissionGraded" | "SubmissionLapsed" }>;

const attempted = (event: HandedIn, handed_in_at: string, banked: boolean) =>
  put(attempts, {
    ...attemptOf(event),
    handed_in_at,
    banked,
    score: null,
    lapsed: false,
    position: String(event.position),
  });

const attemptOf = (event: SubmissionEvent) => ({
  assignment_id: event.data.assignmentId,
  student_id: event.data.studentId,
  submission_id: idOf(event),
});

const changes: RowChanges = {
  TenantEnrolled: ({ data }) => put(tenants, { time_zone: data.timeZone }),
  ClassOpened: (event) => {
    const { code, startsOn, lengthDays } = event.data;
    return put(classes, { class_id: idOf(event), code, starts_on: startsOn, length_days: lengthDays });
  },
  StudentJoinedClass: ({ data }) => joined(data.classId, data.studentId),
  StudentLeftClass: ({ data }) => left(data.classId, data.studentId),
  AssignmentPublished: (event) => {
    const { classId, code, kind, weight, dueAt, graceSeconds, counts } = event.data;
    return put(assessments, {
      assignment_id: idOf(event),
      class_id: classId,
      code,
      kind,
      weight,
      due_at: dueAt,
      grace_seconds: graceSeconds,
      counts,
    });
  },
  AssignmentRescheduled: (event) =>
    patch(assessments, { assignment_id: idOf(event) }, { due_at: event.data.dueAt }),
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
  const rescheduled = new Set(
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
    work.set(`${assignmentId} ${studentId}`, { assignment_id: assignmentId, student_id: studentId });
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
  version: 2,
  database: "reports",
  takes: new Set(Object.keys(changes)),
  apply,
};
