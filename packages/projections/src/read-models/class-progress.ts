import type { TenantId } from "@carillon/domain";
import type { RecordedEvent } from "@carillon/platform";
import type { Transaction } from "kysely";
import { changesOf, type Projection, type RowChanges } from "../projection.ts";
import { changeRows, patch, put, revise } from "../row-change.ts";
import { countAttempts, countLateAgain, countStudents } from "./class-progress-counts.ts";
import { type Attempt, assessments, attempts, classes, students, tenants } from "./class-progress-tables.ts";

import { idOf } from "./stream-id.ts";

const joined = (class_id: string, student_id: string) =>
  revise(students, { class_id, student_id }, (before) =>
    before?.present ? before : { class_id, student_id, present: true },
  );

const left = (class_id: string, student_id: string) =>
  patch(students, { class_id, student_id }, { present: false });

type HandedIn = Extract<RecordedEvent, { type: "SubmissionCommitted" | "SubmissionRecorded" }>;

/** Of a student's attempts the last counts: the later handed in, of two at one time the later in the log. */
const attempted = (event: HandedIn, handed_in_at: string, banked: boolean) => {
  const { assignmentId, studentId } = event.data;
  const attempt: Attempt = {
    assignment_id: assignmentId,
    student_id: studentId,
    submission_id: idOf(event),
    handed_in_at,
    banked,
    score: null,
  };
  return revise(attempts, { assignment_id: assignmentId, student_id: studentId }, (counting) =>
    counting && handed_in_at < counting.handed_in_at ? counting : attempt,
  );
};

const changes: RowChanges = {
  TenantEnrolled: ({ data }) => put(tenants, { time_zone: data.timeZone }),
  ClassOpened: (event) => {
    const { code, startsOn, lengthDays } = event.data;
    return put(classes, { class_id: idOf(event), code, starts_on: startsOn, length_days: lengthDays });
  },
  StudentJoinedClass: ({ data }) => joined(data.classId, data.studentId),
  StudentLeftClass: ({ data }) => left(data.classId, data.studentId),
  AssignmentPublished: (event) => {
    const { classId, code, kind, weight, dueAt } = event.data;
    return put(assessments, {
      assignment_id: idOf(event),
      class_id: classId,
      code,
      kind,
      weight,
      due_at: dueAt,
    });
  },
  AssignmentRescheduled: (event) =>
    patch(assessments, { assignment_id: idOf(event) }, { due_at: event.data.dueAt }),
  SubmissionCommitted: (event) => attempted(event, event.data.committedAt, false),
  SubmissionRecorded: (event) => attempted(event, event.data.handedInAt, event.data.banked),
  SubmissionGraded: (event) => {
    const { assignmentId, studentId, score } = event.data;
    const submission = idOf(event);
    return revise(attempts, { assignment_id: assignmentId, student_id: studentId }, (counting) =>
      counting?.submission_id === submission ? { ...counting, score } : counting,
    );
  },
};

async function apply(
  tx: Transaction<unknown>,
  tenantId: TenantId,
  events: readonly RecordedEvent[],
): Promise<void> {
  const revised = await changeRows(tx, tenantId, changesOf(changes, events));
  await countStudents(tx, tenantId, revised.of(students));
  const rescheduled = new Set(
    events.flatMap((event) => (event.type === "AssignmentRescheduled" ? [idOf(event)] : [])),
  );
  await countAttempts(tx, tenantId, revised.of(attempts), rescheduled);
  await countLateAgain(tx, tenantId, [...rescheduled]);
}

/** How each class does with each assessment, counted up as events arrive. */
export const classProgress: Projection = {
  name: "class_progress",
  version: 1,
  database: "reports",
  takes: new Set(Object.keys(changes)),
  apply,
};
