import { z } from "zod";
import { accept, type Decider, refuse, sameFact } from "../decider.ts";
import { type EventOf, eventType } from "../event-type.ts";
import { maxCodeLength, maxNameLength } from "../limits.ts";
import { CalendarDate } from "../time.ts";

/** A class as it is opened. Its first day is day 0 of its assignments. */
export const ClassProfile = z.object({
  code: z.string().trim().min(1).max(maxCodeLength),
  title: z.string().trim().min(1).max(maxNameLength),
  startsOn: CalendarDate,
  lengthDays: z.int().min(1).max(3660),
});
export type ClassProfile = z.infer<typeof ClassProfile>;

export const classEvents = {
  ClassOpened: eventType(ClassProfile),
};
export type ClassEvent = EventOf<typeof classEvents>;

export type ClassCommand = { type: "OpenClass"; profile: ClassProfile };

export type ClassState = { profile: ClassProfile } | undefined;

export const classDecider: Decider<ClassCommand, ClassEvent, ClassState, "class"> = {
  category: "class",
  initial: undefined,
  decide({ profile }, state) {
    if (!state) return accept({ type: "ClassOpened", data: profile });
    if (sameFact(state.profile, profile)) return accept();
    return refuse("class_code_taken", `The class code "${profile.code}" is taken: choose another.`);
  },
  evolve: (_state, event) => ({ profile: event.data }),
};
