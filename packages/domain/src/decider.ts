import type { ErrorCode } from "./errors.ts";
import type { Category } from "./ids.ts";

/** Why a command is not carried out. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
}

/** What a command leads to: events (none, if it changes nothing) or a refusal. */
export type Decision<Event> =
  | { readonly accepted: true; readonly events: readonly Event[] }
  | { readonly accepted: false; readonly refusal: Refusal };

/**
 * The rules of one kind of thing. Pure: time, randomness and what other streams say come in with the command.
 *
 * The pattern is Chassaing's "functional event sourcing decider" (2021).
 */
export interface Decider<Command, Event, State, Kind extends Category = Category> {
  readonly category: Kind;
  readonly initial: State;
  readonly decide: (command: Command, state: State) => Decision<Event>;
  readonly evolve: (state: State, event: Event) => State;
}

/** Accepts a command. Without events it changes nothing: what was asked for is already so. */
export const accept = <Event>(...events: Event[]): Decision<Event> => ({ accepted: true, events });

/** Refuses a command. */
export const refuse = (code: ErrorCode, message: string) =>
  ({ accepted: false, refusal: { code, message } }) as const;

/** The state after `events`. */
export const fold = <Event, State>(
  decider: Pick<Decider<never, Event, State>, "evolve">,
  state: State,
  events: Iterable<Event>,
): State => {
  let folded = state;
  for (const event of events) folded = decider.evolve(folded, event);
  return folded;
};

/** Whether a fact that is stated again is the fact that was stated before. Both are plain JSON values. */
export function sameFact(first: unknown, second: unknown): boolean {
  if (Object.is(first, second)) return true;
  if (typeof first !== "object" || typeof second !== "object" || !first || !second) return false;
  const keys = new Set([...Object.keys(first), ...Object.keys(second)]);
  return [...keys].every((key) => sameFact(Reflect.get(first, key), Reflect.get(second, key)));
}
