import { boundedCache } from "./bounded-cache.ts";

export interface RecentCallsOptions {
  /** How many calls are remembered. */
  readonly max: number;
  /** For how long after a call began who asks the same waits for it, in milliseconds: it may hang at a server that died. */
  readonly joinMs: number;
  /** For how long after a call began its answer is given to who asks the same, in milliseconds; for ever if left out. */
  readonly keptMs?: number;
}

/** Makes a call, or gives the answer of the one that asked the same. */
export type RecentCalls<Answer> = (question: string, call: () => Promise<Answer>) => Promise<Answer>;

/**
 * Makes one call for all who ask the same, while it is under way and afterwards. One that failed is forgotten: whoever
 * waited for it hears so, and the next to ask makes it anew.
 */
export function singleFlight<Answer>({
  max,
  joinMs,
  keptMs = Number.POSITIVE_INFINITY,
}: RecentCallsOptions): RecentCalls<Answer> {
  const calls = boundedCache<{
    readonly answer: Promise<Answer>;
    readonly beganAt: number;
    isAnswered: boolean;
  }>(max);
  return (question, call) => {
    const known = calls.get(question);
    if (known && performance.now() - known.beganAt < (known.isAnswered ? keptMs : joinMs))
      return known.answer;
    const made = { answer: call(), beganAt: performance.now(), isAnswered: false };
    calls.set(question, made);
    made.answer.then(
      () => {
        made.isAnswered = true;
      },
      () => calls.forget(question, made),
    );
    return made.answer;
  };
}
