import type { RecordedEvent } from "@carillon/platform";
import { rowProjection } from "../../rows/projection.ts";
import { patch, put } from "../../rows/row-change.ts";
import { rowTable } from "../../rows/row-table.ts";
import { idOf } from "../../rows/stream-id.ts";

const assignments = rowTable("submissions_v2.assignments", { assignment_id: "uuid", counts: "text" }, 1);

const submissions = rowTable(
  "submissions_v2.submissions",
  {
    submission_id: "uuid",
    assignment_id: "uuid",
    class_id: "uuid",
    student_id: "uuid",
    key: "text",
    sha256: "text",
    bytes: "double precision",
    name: "text",
    media_type: "text",
    handed_in_at: "timestamptz",
    late: "boolean",
    penalty_percent: "double precision",
    upload_by: "timestamptz",
    received_at: "timestamptz",
    lapsed_at: "timestamptz",
    banked: "boolean",
    score: "double precision",
    raw_score: "double precision",
    grader: "text",
    feedback: "text",
    graded_at: "timestamptz",
    revision: "integer",
    position: "bigint",
  },
  1,
);

type HandedIn = Extract<RecordedEvent, { type: "SubmissionCommitted" | "SubmissionRecorded" }>;

const begun = (event: HandedIn) => ({
  submission_id: idOf(event),
  assignment_id: event.data.assignmentId,
  class_id: event.data.classId,
  student_id: event.data.studentId,
  key: event.data.key,
  received_at: null,
  lapsed_at: null,
  score: null,
  raw_score: null,
  grader: null,
  feedback: null,
  graded_at: null,
  revision: event.revision,
  position: String(event.position),
});

/** Every submission: what was handed in, when it was received or lapsed, and its grade. */
export const submissionList = rowProjection(
  { name: "submissions", version: 2, database: "live" },
  {
    AssignmentPublished: (event) =>
      put(assignments, { assignment_id: idOf(event), counts: event.data.counts }),
    SubmissionCommitted: (event) => {
      const { content, committedAt, late, penaltyPercent, uploadBy } = event.data;
      const { sha256, bytes, name, mediaType } = content;
      return put(submissions, {
        ...begun(event),
        sha256,
        bytes,
        name,
        media_type: mediaType,
        handed_in_at: committedAt,
        late,
        penalty_percent: penaltyPercent,
        upload_by: uploadBy,
        banked: false,
      });
    },
    SubmissionRecorded: (event) =>
      put(submissions, {
        ...begun(event),
        sha256: null,
        bytes: null,
        name: null,
        media_type: null,
        handed_in_at: event.data.handedInAt,
        late: null,
        penalty_percent: 0,
        upload_by: null,
        banked: event.data.banked,
      }),
    SubmissionReceived: (event) =>
      patch(submissions, { submission_id: idOf(event) }, { received_at: event.data.receivedAt }),
    SubmissionLapsed: (event) =>
      patch(submissions, { submission_id: idOf(event) }, { lapsed_at: event.data.lapsedAt }),
    SubmissionGraded: (event) => {
      const { score, rawScore, grader, feedback } = event.data;
      return patch(
        submissions,
        { submission_id: idOf(event) },
        { score, raw_score: rawScore, grader, feedback, graded_at: event.metadata.occurredAt },
      );
    },
  },
);
