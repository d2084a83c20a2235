import type { RecordedEvent } from "@carillon/platform";
import { rowProjection } from "../projection.ts";
import { patch, put } from "../row-change.ts";
import { rowTable } from "../row-table.ts";
import { idOf } from "./stream-id.ts";

const submissions = rowTable(
  "submissions_v1.submissions",
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
    received_at: "timestamptz",
    banked: "boolean",
    score: "double precision",
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
  score: null,
  feedback: null,
  graded_at: null,
  revision: event.revision,
  position: String(event.position),
});

/** Every submission: what was handed in, when it was received, and its grade. */
export const submissionList = rowProjection(
  { name: "submissions", version: 1, database: "live" },
  {
    SubmissionCommitted: (event) => {
      const { sha256, bytes, name, mediaType } = event.data.content;
      return put(submissions, {
        ...begun(event),
        sha256,
        bytes,
        name,
        media_type: mediaType,
        handed_in_at: event.data.committedAt,
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
        banked: event.data.banked,
      }),
    SubmissionReceived: (event) =>
      patch(submissions, { submission_id: idOf(event) }, { received_at: event.data.receivedAt }),
    SubmissionGraded: (event) =>
      patch(
        submissions,
        { submission_id: idOf(event) },
        { score: event.data.score, feedback: event.data.feedback, graded_at: event.metadata.occurredAt },
      ),
  },
);
