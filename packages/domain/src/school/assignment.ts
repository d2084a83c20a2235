import { z } from "zod";
import { accept, type Decider, refuse, sameFact } from "../decider.ts";
import { type EventOf, eventType } from "../event-type.ts";
import { ClassId } from "../ids.ts";
import { maxCodeLength, maxNameLength } from "../limits.ts";
import { Instant } from "../time.ts";
import { AnswerKey } from "./answer-key.ts";

/** What happens to work that comes after the due time. */
export const LatePolicy = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("accept") }),
  z.object({ kind: z.literal("refuse") }),
  z.object({ kind: z.literal("penalty"), percentPerDay: z.number().min(0).max(100) }),
]);
export type LatePolicy = z.infer<typeof LatePolicy>;

/** Of several attempts at one assignment, the one whose score is the student's. */
export const CountingAttempt = z.enum(["last", "best", "first"]);
export type CountingAttempt = z.infer<typeof CountingAttempt>;

/**
 * An assignment as it is published. `weight` is its share of the class's result in percent; work that comes within
 * `graceSeconds` after the due time is in time.
 */
export const AssignmentProfile = z.object({
  code: z.string().trim().min(1).max(maxCodeLength),
  title: z.string().trim().min(1).max(maxNameLength),
  kind: z.string().trim().min(1).max(32),
  weight: z.number().min(0).max(100),
  latePolicy: LatePolicy,
  graceSeconds: z.int().min(0).max(86_400).default(0),
  counts: CountingAttempt.default("last"),
  /** Where there is one, a program marks the answers. */
  answerKey: AnswerKey.nullable().default(null),
});
export type AssignmentProfile = z.infer<typeof AssignmentProfile>;

/** When work is due; null where that is not known or does not matter. */
const DueAt = Instant.nullable();
type DueAt = z.infer<typeof DueAt>;

export const assignmentEvents = {
  AssignmentPublished: eventType(AssignmentProfile.extend({ classId: ClassId, dueAt: DueAt }), [
    (v1) => ({ ...z.looseObject({}).parse(v1), graceSeconds: 0, counts: "last", answerKey: null }),
  ]),
  AssignmentRescheduled: eventType(z.object({ classId: ClassId, dueAt: DueAt })),
};
export type AssignmentEvent = EventOf<typeof assignmentEvents>;

export type AssignmentCommand =
  | {
      type: "PublishAssignment";
      classId: ClassId;
      classOpened: boolean;
      profile: AssignmentProfile;
      dueAt: DueAt;
      at: Instant;
    }
  | { type: "RescheduleAssignment"; dueAt: DueAt; at: Instant };

export type AssignmentState =
  | { classId: ClassId; profile: AssignmentProfile; publishedDueAt: DueAt; dueAt: DueAt }
  | undefined;

export const assignmentDecider: Decider<AssignmentCommand, AssignmentEvent, AssignmentState, "assignment"> = {
  category: "assignment",
  initial: undefined,
  decide(command, state) {
    const { dueAt, at } = command;
    const dueInPast = dueAt !== null && dueAt <= at;
    if (command.type === "RescheduleAssignment") {
      if (!state) return refuse("assignment_unknown", "There is no such assignment at this school.");
      if (state.dueAt === dueAt) return accept();
      if (dueInPast) return refuseDueInPast(dueAt);
      return accept({ type: "AssignmentRescheduled", data: { classId: state.classId, dueAt } });
    }
    const { classId, classOpened, profile } = command;
    if (state) {
      if (sameFact(state.profile, profile) && state.publishedDueAt === dueAt) return accept();
      return refuse("assignment_code_taken", `The class already has an assignment "${profile.code}".`);
    }
    if (!classOpened) return refuse("class_unknown", "There is no such class at this school.");
    if (dueInPast) return refuseDueInPast(dueAt);
    return accept({ type: "AssignmentPublished", data: { ...profile, classId, dueAt } });
  },
  evolve(state, event) {
    switch (event.type) {
      case "AssignmentPublished": {
        const { classId, dueAt, ...profile } = event.data;
        return { classId, profile, publishedDueAt: dueAt, dueAt };
      }
      case "AssignmentRescheduled":
        return state && { ...state, dueAt: event.data.dueAt };
    }
  },
};

const refuseDueInPast = (dueAt: Instant) =>
  refuse("due_in_past", `The due time ${dueAt} has passed: choose one that is still to come.`);
