import { z } from "zod";
import { type EventOf, eventType } from "../event-type.ts";
import { AssignmentId, ClassId, UserId } from "../ids.ts";
import { maxFeedbackLength, maxFileNameLength, maxKeyLength } from "../limits.ts";
import { Instant } from "../time.ts";
import { isLate } from "./lateness.ts";

/** What is handed in: the digest decides, the name is for people. */
export const Content = z.object({
  /** SHA-256 of the bytes, 64 hexadecimal digits. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** How many bytes. */
  bytes: z.int().min(1),
  name: z.string().min(1).max(maxFileNameLength),
  mediaType: z.string().min(1).max(maxFileNameLength),
});
export type Content = z.infer<typeof Content>;

/** The client's own name for one hand-in: a retry uses it again, a new attempt does not. */
export const SubmissionKey = z.string().min(1).max(maxKeyLength);

/** Whose work for what: on every event of a submission, so that a reader of one event needs no other. */
export const Work = z.object({ assignmentId: AssignmentId, classId: ClassId, studentId: UserId });
export type Work = z.infer<typeof Work>;

/** 0 to 100. */
export const Score = z.number().min(0).max(100);

export const submissionEvents = {
  /**
   * The promise: this digest was handed in at this moment, for an assignment that was due at `dueAt` then. `late` is
   * by that time, and `penaltyPercent` what it takes off the score. Without content until `uploadBy` it lapses.
   */
  SubmissionCommitted: eventType(
    Work.extend({
      key: SubmissionKey,
      content: Content,
      committedAt: Instant,
      dueAt: Instant.nullable(),
      graceSeconds: z.int().min(0),
      late: z.boolean(),
      penaltyPercent: z.number().min(0).max(100),
      /** Null where the content came with the commit. */
      uploadBy: Instant.nullable(),
      autograded: z.boolean(),
    }),
    [committedInVersion1],
  ),
  /** The content with the committed digest is stored. `autograded`: an answer key waits for it. */
  SubmissionReceived: eventType(
    Work.extend({ sha256: Content.shape.sha256, receivedAt: Instant, autograded: z.boolean() }),
    [(v1) => ({ ...z.looseObject({}).parse(v1), autograded: false })],
  ),
  /** The committed content never came. */
  SubmissionLapsed: eventType(Work.extend({ sha256: Content.shape.sha256, lapsedAt: Instant })),
  /** Work that another system took in; Carillon never held its content. `banked`: carried over from an earlier class. */
  SubmissionRecorded: eventType(
    Work.extend({ key: SubmissionKey, handedInAt: Instant, banked: z.boolean() }),
  ),
  /** `score` is what counts: `rawScore` less the penalty for lateness. */
  SubmissionGraded: eventType(
    Work.extend({
      score: Score,
      rawScore: Score,
      feedback: z.string().max(maxFeedbackLength).nullable(),
      grader: z.enum(["person", "answer_key"]),
    }),
    [gradedInVersion1],
  ),
};
export type SubmissionEvent = EventOf<typeof submissionEvents>;

/** Version 1 knew neither grace nor penalties, and content came with the commit. */
function committedInVersion1(v1: unknown) {
  const { committedAt, dueAt } = z.object({ committedAt: Instant, dueAt: Instant.nullable() }).parse(v1);
  return {
    ...z.looseObject({}).parse(v1),
    graceSeconds: 0,
    late: isLate(committedAt, dueAt),
    penaltyPercent: 0,
    uploadBy: null,
    autograded: false,
  };
}

function gradedInVersion1(v1: unknown) {
  const { score } = z.object({ score: Score }).parse(v1);
  return { ...z.looseObject({}).parse(v1), rawScore: score, grader: "person" };
}
