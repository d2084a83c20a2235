import { accept, type Decider, type Decision, refuse, sameFact } from "../decider.ts";
import type { AssignmentId, UserId } from "../ids.ts";
import type { AssignmentState } from "../school/assignment.ts";
import type { MembershipState } from "../school/membership.ts";
import type { Instant } from "../time.ts";
import { isLate, penalty } from "./lateness.ts";
import type { Content, SubmissionEvent, Work } from "./submission-events.ts";

/** What a submission has to know of its assignment and its student when it is decided. */
export interface SubmissionFacts {
  readonly assignmentId: AssignmentId;
  readonly studentId: UserId;
  readonly assignment: AssignmentState;
  readonly membership: MembershipState;
}

export type SubmissionCommand =
  | {
      type: "CommitSubmission";
      facts: SubmissionFacts;
      key: string;
      content: Content;
      at: Instant;
      uploadBy: Instant | null;
    }
  | { type: "ReceiveContent"; sha256: string; at: Instant }
  /** Changes nothing where the content has come or may still come. */
  | { type: "LapseSubmission"; at: Instant }
  | { type: "RecordSubmission"; facts: SubmissionFacts; key: string; handedInAt: Instant; banked: boolean }
  | { type: "GradeSubmission"; score: number; feedback: string | null }
  /** By a program. What was graded before stays: a teacher's word counts more. */
  | { type: "MarkSubmission"; score: number; feedback: string };

export type SubmissionState =
  | {
      work: Work;
      /** Undefined where another system holds the content. */
      content: Content | undefined;
      received: boolean;
      lapsed: boolean;
      uploadBy: Instant | null;
      penaltyPercent: number;
      autograded: boolean;
      /** `score` as it was given, before the penalty. */
      grade: { score: number; feedback: string | null } | undefined;
    }
  | undefined;

export const submissionDecider: Decider<SubmissionCommand, SubmissionEvent, SubmissionState, "submission"> = {
  category: "submission",
  initial: undefined,
  decide(command, state) {
    switch (command.type) {
      case "CommitSubmission":
        return commit(command, state);
      case "ReceiveContent":
        return receive(command, state);
      case "LapseSubmission":
        return lapse(command, state);
      case "RecordSubmission":
        return record(command, state);
      case "GradeSubmission": {
        if (!state) return unknownSubmission;
        const grade = { score: command.score, feedback: command.feedback };
        return sameFact(state.grade, grade) ? accept() : accept(graded(state, grade, "person"));
      }
      case "MarkSubmission": {
        if (!state) return unknownSubmission;
        const { score, feedback } = command;
        return state.grade ? accept() : accept(graded(state, { score, feedback }, "answer_key"));
      }
    }
  },
  evolve(state, event) {
    switch (event.type) {
      case "SubmissionCommitted": {
        const { content, uploadBy, penaltyPercent, autograded } = event.data;
        return { ...begun(event.data), content, uploadBy, penaltyPercent, autograded };
      }
      case "SubmissionRecorded":
        return begun(event.data);
      case "SubmissionReceived":
        return state && { ...state, received: true };
      case "SubmissionLapsed":
        return state && { ...state, lapsed: true };
      case "SubmissionGraded": {
        const { rawScore, feedback } = event.data;
        return state && { ...state, grade: { score: rawScore, feedback } };
      }
    }
  },
};

type CommandOf<Type extends SubmissionCommand["type"]> = Extract<SubmissionCommand, { type: Type }>;
type SubmissionDecision = Decision<SubmissionEvent>;

function commit(
  { facts, key, content, at, uploadBy }: CommandOf<"CommitSubmission">,
  state: SubmissionState,
): SubmissionDecision {
  // A retry is answered as the first was, even if the assignment has closed or the student has left since.
  if (state) return state.content?.sha256 === content.sha256 ? accept() : keyTaken(key);
  const { assignment } = facts;
  if (!assignment) return unknownAssignment;
  if (facts.membership !== "student") return notAMember;
  const { dueAt, profile } = assignment;
  const { latePolicy, graceSeconds } = profile;
  const late = isLate(at, dueAt, graceSeconds);
  if (late && latePolicy.kind === "refuse") {
    return refuse("assignment_closed", `The assignment closed at ${dueAt}.`);
  }
  return accept({
    type: "SubmissionCommitted",
    data: {
      ...workOf(facts, assignment),
      key,
      content,
      committedAt: at,
      dueAt,
      graceSeconds,
      late,
      penaltyPercent: late && dueAt !== null ? penalty(latePolicy, at, dueAt) : 0,
      uploadBy,
      autograded: profile.answerKey !== null,
    },
  });
}

function receive({ sha256, at }: CommandOf<"ReceiveContent">, state: SubmissionState): SubmissionDecision {
  if (!state) return unknownSubmission;
  if (state.content?.sha256 !== sha256) {
    return refuse("content_digest_mismatch", "The content is not what was committed: send it again.");
  }
  if (state.received) return accept();
  if (state.lapsed) return lapsed;
  const { work, autograded } = state;
  return accept({ type: "SubmissionReceived", data: { ...work, sha256, receivedAt: at, autograded } });
}

function lapse({ at }: CommandOf<"LapseSubmission">, state: SubmissionState): SubmissionDecision {
  if (!state) return unknownSubmission;
  const { content, received, uploadBy, work } = state;
  if (!content || received || state.lapsed || uploadBy === null || at < uploadBy) return accept();
  return accept({ type: "SubmissionLapsed", data: { ...work, sha256: content.sha256, lapsedAt: at } });
}

function record(
  { facts, key, handedInAt, banked }: CommandOf<"RecordSubmission">,
  state: SubmissionState,
): SubmissionDecision {
  if (state) return state.content ? keyTaken(key) : accept();
  if (!facts.assignment) return unknownAssignment;
  if (facts.membership !== "student") return notAMember;
  return accept({
    type: "SubmissionRecorded",
    data: { ...workOf(facts, facts.assignment), key, handedInAt, banked },
  });
}

const graded = (
  { work, penaltyPercent }: NonNullable<SubmissionState>,
  { score, feedback }: { score: number; feedback: string | null },
  grader: "person" | "answer_key",
): SubmissionEvent => ({
  type: "SubmissionGraded",
  data: {
    ...work,
    score: penaltyPercent === 0 ? score : (score * (100 - penaltyPercent)) / 100,
    rawScore: score,
    feedback,
    grader,
  },
});

const unknownAssignment = refuse("assignment_unknown", "There is no such assignment at this school.");
const unknownSubmission = refuse("submission_unknown", "There is no such submission at this school.");
const lapsed = refuse(
  "submission_lapsed",
  "The content did not come in time, so this submission has lapsed: hand in again under a new key.",
);
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

const begun = ({ assignmentId, classId, studentId }: Work): NonNullable<SubmissionState> => ({
  work: { assignmentId, classId, studentId },
  content: undefined,
  received: false,
  lapsed: false,
  uploadBy: null,
  penaltyPercent: 0,
  autograded: false,
  grade: undefined,
});
