import { z } from "zod";
import { accept, type Decider, refuse } from "../decider.ts";
import { type EventOf, eventType } from "../event-type.ts";
import { ClassId, UserId } from "../ids.ts";

const Student = z.object({ classId: ClassId, studentId: UserId });
const Teacher = z.object({ classId: ClassId, teacherId: UserId });

export const membershipEvents = {
  StudentJoinedClass: eventType(Student),
  StudentLeftClass: eventType(Student),
  TeacherJoinedClass: eventType(Teacher),
  TeacherLeftClass: eventType(Teacher),
};
export type MembershipEvent = EventOf<typeof membershipEvents>;

export const MemberRole = z.enum(["student", "teacher"]);
export type MemberRole = z.infer<typeof MemberRole>;

export type MembershipCommand =
  | {
      type: "JoinClass";
      classId: ClassId;
      userId: UserId;
      as: MemberRole;
      classOpened: boolean;
      userEnrolled: boolean;
    }
  | { type: "LeaveClass"; classId: ClassId; userId: UserId };

/** What somebody is in a class now; undefined if they are not in it. */
export type MembershipState = MemberRole | undefined;

/**
 * One stream for each person in each class, so that a thousand students who join in one minute do not
 * contend for one stream and "is this student in this class?" reads a handful of events.
 */
export const membershipDecider: Decider<MembershipCommand, MembershipEvent, MembershipState, "membership"> = {
  category: "membership",
  initial: undefined,
  decide(command, state) {
    const { classId, userId } = command;
    if (command.type === "LeaveClass") {
      if (!state) return refuse("not_a_member", "This person is not in this class.");
      return accept(left(state, classId, userId));
    }
    if (!command.classOpened) return refuse("class_unknown", "There is no such class at this school.");
    if (!command.userEnrolled) return refuse("user_unknown", "There is no such person at this school.");
    if (state === command.as) return accept();
    const events = [joined(command.as, classId, userId)];
    return accept(...(state ? [left(state, classId, userId), ...events] : events));
  },
  evolve(_state, event) {
    switch (event.type) {
      case "StudentJoinedClass":
        return "student";
      case "TeacherJoinedClass":
        return "teacher";
      case "StudentLeftClass":
      case "TeacherLeftClass":
        return undefined;
    }
  },
};

const joined = (as: MemberRole, classId: ClassId, userId: UserId): MembershipEvent =>
  as === "student"
    ? { type: "StudentJoinedClass", data: { classId, studentId: userId } }
    : { type: "TeacherJoinedClass", data: { classId, teacherId: userId } };

const left = (as: MemberRole, classId: ClassId, userId: UserId): MembershipEvent =>
  as === "student"
    ? { type: "StudentLeftClass", data: { classId, studentId: userId } }
    : { type: "TeacherLeftClass", data: { classId, teacherId: userId } };
