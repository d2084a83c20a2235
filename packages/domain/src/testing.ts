import { type Decider, fold, type Refusal } from "./decider.ts";

/**
 * Given what has happened, when a command comes, this is what it leads to: the events, or the refusal.
 *
 * @example
 * expect(given(tenantDecider, []).when({ type: "EnrollTenant", profile })).toEqual([enrolled]);
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
