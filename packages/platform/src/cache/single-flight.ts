import { LRUCache } from "lru-cache";

export interface SingleFlightOptions {
  /** How many calls are remembered. */
  readonly max: number;
  /** For how long after a call began the next of the same key wait for it, in milliseconds: it may hang at a server that died. */
  readonly joinMs: number;
  /** For how long after a call began its answer is given to the next of the same key, in milliseconds; for ever if left out. */
  readonly keptMs?: number;
}

/** Makes a call, or gives the answer of the one of the same key. */
export type SingleFlight<Answer> = (key: string, call: () => Promise<Answer>) => Promise<Answer>;

interface Call<Answer> {
  readonly answer: Promise<Answer>;
  readonly beganAt: number;
  isAnswered: boolean;
}

/**
 * Makes one call for all of the same key, while it is under way and afterwards. One that failed is forgotten: all that
 * waited for it reject, and the next makes it anew.
 */
export function singleFlight<Answer>({
  max,
  joinMs,
  keptMs = Number.POSITIVE_INFINITY,
}: SingleFlightOptions): SingleFlight<Answer> {
  const calls = new LRUCache<string, Call<Answer>>({ max });
  return (key, call) => {
    const known = calls.get(key);
    if (known && performance.now() - known.beganAt < (known.isAnswered ? keptMs : joinMs))
      return known.answer;
    const made: Call<Answer> = { answer: call(), beganAt: performance.now(), isAnswered: false };
    calls.set(key, made);
    made.answer.then(
      () => {
        made.isAnswered = true;
      },
      () => {
        if (calls.peek(key) === made) calls.delete(key);
      },
    );
    return made.answer;
  };
}
