import { z } from "zod";
import type { AssignmentState } from "./assignment.ts";
import { accept, type Decider, refuse, sameFact } from "./decider.ts";
import { type EventOf, eventType } from "./event-type.ts";
import { AssignmentId, ClassId, UserId } from "./ids.ts";
import type { MembershipState } from "./membership.ts";
import { Instant } from "./time.ts";

/** What is handed in: the digest decides, the name is for people. */
export const Content = z.object({
  /** SHA-256 of the bytes, 64 hexadecimal digits. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** How many bytes. */
  bytes: z.int().min(1),
  name: z.string().min(1).max(255),
  mediaType: z.string().min(1).max(255),
});
export type Content = z.infer<typeof Content>;

/** The client's own name for one hand-in: a retry uses it again, a new attempt does not. */
export const SubmissionKey = z.string().min(1).max(128);

/** Whose work for what: on every event of a submission, so that a reader of one event needs no other. */
const Work = z.object({ assignmentId: AssignmentId, classId: ClassId, studentId: UserId });
type Work = z.infer<typeof Work>;

/** 0 to 100. */
export const Score = z.number().min(0).max(100);

export const submissionEvents = {
  /** The promise: this digest was handed in at this moment, for an assignment that was due at `dueAt` then. */
  SubmissionCommitted: eventType(
    Work.extend({
      key: SubmissionKey,
      content: Content,
      committedAt: Instant,
      dueAt: Instant.nullable(),
    }),
  ),
  /** The content with the committed digest is stored. */
  SubmissionReceived: eventType(Work.extend({ sha256: Content.shape.sha256, receivedAt: Instant })),
  /** Work that another system took in; Carillon never held its content. `banked`: carried over from an earlier class. */
  SubmissionRecorded: eventType(
    Work.extend({ key: SubmissionKey, handedInAt: Instant, banked: z.boolean() }),
  ),
  SubmissionGraded: eventType(Work.extend({ score: Score, feedback: z.string().max(10_000).nullable() })),
};
export type SubmissionEvent = EventOf<typeof submissionEvents>;

/** What a submission has to know of its assignment and its student when it is decided. */
export interface SubmissionFacts {
  readonly assignmentId: AssignmentId;
  readonly studentId: UserId;
  readonly assignment: AssignmentState;
  readonly membership: MembershipState;
}

export type SubmissionCommand =
  | { type: "CommitSubmission"; facts: SubmissionFacts; key: string; content: Content; at: Instant }
  | { type: "ReceiveContent"; sha256: string; at: Instant }
  | { type: "RecordSubmission"; facts: SubmissionFacts; key: string; handedInAt: Instant; banked: boolean }
  | { type: "GradeSubmission"; score: number; feedback: string | null };

export type SubmissionState =
  | {
      work: Work;
      /** Undefined where another system holds the content. */
      content: Content | undefined;
      received: boolean;
      grade: { score: number; feedback: string | null } | undefined;
    }
  | undefined;

export const submissionDecider: Decider<SubmissionCommand, SubmissionEvent, SubmissionState> = {
  category: "submission",
  initial: undefined,
  decide(command, state) {
    switch (command.type) {
      case "CommitSubmission": {
        const { facts, key, content, at } = command;
        // A retry is answered as the first was, even if the assignment has closed or the student has left since.
        if (state) return state.content?.sha256 === content.sha256 ? accept() : keyTaken(key);
        const { assignment } = facts;
        if (!assignment) return unknownAssignment;
        if (facts.membership !== "student") return notAMember;
        if (isLate(at, assignment.dueAt) && assignment.profile.latePolicy.kind === "refuse") {
          return refuse("assignment_closed", `The assignment closed at ${assignment.dueAt}.`);
        }
        return accept({
          type: "SubmissionCommitted",
          data: {
            ...workOf(facts, assignment),
            key,
            content,
            committedAt: at,
            dueAt: assignment.dueAt,
          },
        });
      }
      case "ReceiveContent": {
        if (!state) return unknownSubmission;
        if (state.content?.sha256 !== command.sha256) {
          return refuse("content_digest_mismatch", "The content is not what was committed: send it again.");
        }
        if (state.received) return accept();
        return accept({
          type: "SubmissionReceived",
          data: { ...state.work, sha256: command.sha256, receivedAt: command.at },
        });
      }
      case "RecordSubmission": {
        const { facts, key, handedInAt, banked } = command;
        if (state) return state.content ? keyTaken(key) : accept();
        if (!facts.assignment) return unknownAssignment;
        if (facts.membership !== "student") return notAMember;
        return accept({
          type: "SubmissionRecorded",
          data: { ...workOf(facts, facts.assignment), key, handedInAt, banked },
        });
      }
      case "GradeSubmission": {
        if (!state) return unknownSubmission;
        const grade = { score: command.score, feedback: command.feedback };
        if (sameFact(state.grade, grade)) return accept();
        return accept({ type: "SubmissionGraded", data: { ...state.work, ...grade } });
      }
    }
  },
  evolve(state, event) {
    switch (event.type) {
      case "SubmissionCommitted":
        return { work: workIn(event.data), content: event.data.content, received: false, grade: undefined };
      case "SubmissionRecorded":
        return { work: workIn(event.data), content: undefined, received: false, grade: undefined };
      case "SubmissionReceived":
        return state && { ...state, received: true };
      case "SubmissionGraded": {
        const { score, feedback } = event.data;
        return state && { ...state, grade: { score, feedback } };
      }
    }
  },
};

/** Whether work that was handed in at `at` came after the due time. */
export const isLate = (at: Instant, dueAt: Instant | null) => dueAt !== null && at > dueAt;

const unknownAssignment = refuse("assignment_unknown", "There is no such assignment at this school.");
const unknownSubmission = refuse("submission_unknown", "There is no such submission at this school.");
const notAMember = refuse("not_a_member", "Only students of the class can hand in work for this assignment.");
const keyTaken = (key: string) =>
  refuse(
    "submission_key_taken",
    `Other content was handed in under the key "${key}": use a new key for a new attempt.`,
  );

const workOf = (facts: SubmissionFacts, assignment: NonNullable<AssignmentState>): Work => ({
  assignmentId: facts.assignmentId,
  classId: assignment.classId,
  studentId: facts.studentId,
});

const workIn = ({ assignmentId, classId, studentId }: Work): Work => ({ assignmentId, classId, studentId });
