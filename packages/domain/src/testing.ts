import { type Decider, fold, type Refusal } from "./decider.ts";

/**
 * Given what has happened, when a command comes, this is what it leads to: the events, or the refusal.
 *
 * @example
 * ```ts
 * import { classDecider } from "./school/class.ts";
 *
 * const profile = { code: "A", title: "Algebra", startsOn: "2026-09-01", lengthDays: 90 };
 * given(classDecider, []).when({ type: "OpenClass", profile }); // [{ type: "ClassOpened", data: profile }]
 * ```
 */
export const given = <Command, Event, State>(
  decider: Decider<Command, Event, State>,
  events: readonly Event[],
) => ({
  when(command: Command): readonly Event[] | Refusal {
    const decision = decider.decide(command, fold(decider, decider.initial, events));
    return decision.accepted ? decision.events : decision.refusal;
  },
});
