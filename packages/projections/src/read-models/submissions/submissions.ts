import type { RecordedEvent } from "@carillon/platform";
import { rowProjection } from "../../rows/projection.ts";
import { patch, put } from "../../rows/row-change.ts";
import { idOf } from "../../rows/stream-id.ts";
import { assignments, submissions, version } from "./submissions-tables.ts";

type HandedIn = Extract<RecordedEvent, { type: "SubmissionCommitted" | "SubmissionRecorded" }>;

const begun = (event: HandedIn) => ({
  submissionId: idOf(event),
  receivedAt: null,
  lapsedAt: null,
  score: null,
  rawScore: null,
  grader: null,
  feedback: null,
  gradedAt: null,
  revision: event.revision,
  position: String(event.position),
});

/** Every submission: what was handed in, when it was received or lapsed, and its grade. */
export const submissionList = rowProjection(
  { name: "submissions", version, database: "live" },
  {
    AssignmentPublished: (event) =>
      put(assignments, { assignmentId: idOf(event), counts: event.data.counts }),
    SubmissionCommitted: (event) => {
      const { content, committedAt, ...committed } = event.data;
      return put(submissions, {
        ...committed,
        ...content,
        ...begun(event),
        handedInAt: committedAt,
        banked: false,
      });
    },
    SubmissionRecorded: (event) =>
      put(submissions, {
        ...event.data,
        ...begun(event),
        sha256: null,
        bytes: null,
        name: null,
        mediaType: null,
        late: null,
        penaltyPercent: 0,
        uploadBy: null,
      }),
    SubmissionReceived: (event) =>
      patch(submissions, { submissionId: idOf(event) }, { receivedAt: event.data.receivedAt }),
    SubmissionLapsed: (event) =>
      patch(submissions, { submissionId: idOf(event) }, { lapsedAt: event.data.lapsedAt }),
    SubmissionGraded: (event) => {
      const { score, rawScore, grader, feedback } = event.data;
      return patch(
        submissions,
        { submissionId: idOf(event) },
        { score, rawScore, grader, feedback, gradedAt: event.metadata.occurredAt },
      );
    },
  },
);
