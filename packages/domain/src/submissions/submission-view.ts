import { column } from "../columns.ts";
import type { AssignmentId, ClassId, SubmissionId, UserId } from "../ids.ts";

/** What events say of a submission. */
export const submissionColumns = {
  submissionId: column.uuid<SubmissionId>(),
  assignmentId: column.uuid<AssignmentId>(),
  classId: column.uuid<ClassId>(),
  studentId: column.uuid<UserId>(),
  key: column.text(),
  /** Null, as the other three of the content, where another system holds it. */
  sha256: column.orNull(column.text()),
  bytes: column.orNull(column.number()),
  name: column.orNull(column.text()),
  mediaType: column.orNull(column.text()),
  handedInAt: column.instant(),
  /** By the due time when it was handed in; null where another system took it in. */
  late: column.orNull(column.boolean()),
  /** What lateness takes off the score. */
  penaltyPercent: column.number(),
  /** When it lapses without its content; null where that came with it or another system holds it. */
  uploadBy: column.orNull(column.instant()),
  receivedAt: column.orNull(column.instant()),
  lapsedAt: column.orNull(column.instant()),
  banked: column.boolean(),
  /** What counts: `rawScore` less the penalty. */
  score: column.orNull(column.number()),
  rawScore: column.orNull(column.number()),
  grader: column.orNull(column.text<"person" | "answer_key">()),
  feedback: column.orNull(column.text()),
  gradedAt: column.orNull(column.instant()),
};

/** What students and teachers are told of a submission. */
export const submissionAnswerColumns = {
  ...submissionColumns,
  /** Whether it is the one of the student's attempts that counts now. */
  counts: column.boolean(),
};

/** Where the event that committed or recorded a submission is in the log. */
export const submissionOriginColumns = {
  revision: column.integer(),
  position: column.digits(),
};

/** Every submission, and what content they are of. */
export const submissionViews = {
  "submissions.submissions": {
    ...submissionAnswerColumns,
    stream: column.text(),
    ...submissionOriginColumns,
  },
  /** Content in use: what is not here, nobody hands in. */
  "submissions.content_references": {
    sha256: column.text(),
    /** How many submissions that have not lapsed are of this content. */
    references: column.integer(),
  },
};
