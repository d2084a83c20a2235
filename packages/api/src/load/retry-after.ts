import type { Wait } from "@carillon/domain";

/** What is known of the queue when a call is shed. */
export interface FullQueue {
  /** Milliseconds between two places that come free. */
  readonly slotMs: number;
  /** How many wait. */
  readonly length: number;
  /** How many of this tenant wait. */
  readonly ownLength: number;
  /** How many tenants have somebody waiting. */
  readonly tenants: number;
}

/**
 * Nobody is asked to wait longer. In the first seconds of a storm every core has other things to do too; clients that
 * are then shed for minutes leave the service idle soon after. One that tries again too early is only shed again.
 */
export const longestWaitMs = 15_000;

/**
 * Gives out virtual places: when clients are to try again that a full queue shed, one after the other at the rate at
 * which the queue is served, so that they neither come all at once nor leave it empty. The first come when half
 * of the queue is done, so that it never runs dry.
 *
 * Each tenant has a line of its own, at its share of the rate, besides the one of all; the earlier of the two times
 * counts. So a school with few clients away does not wait behind the thousands of another, and one that is alone waits at
 * the full rate. Where the lines would be longer than `longestWaitMs`, as they are in a great storm and when somebody asks
 * again and again without waiting, times are drawn from the second half of it, and the place is that of the time.
 *
 * @example
 * ```ts
 * const shed = retryAfterTimes();
 * const queue = { slotMs: 8, length: 250, ownLength: 250, tenants: 1 };
 * shed("riverside-high", queue, Date.now()); // { retryAfterMs: 1008, place: 126 }
 * ```
 */
export function retryAfterTimes(): (line: string, queue: FullQueue, now: number) => Wait {
  /** The last time that was given out, of all and of each tenant that has somebody away. */
  let last = 0;
  const lastOf = new Map<string, number>();

  return (line, { slotMs, length, ownLength, tenants }, now) => {
    const shareMs = slotMs * Math.max(tenants, 1);
    last = Math.max(last, now + (length * slotMs) / 2) + slotMs;
    const own = Math.max(lastOf.get(line) ?? 0, now + (ownLength * shareMs) / 2) + shareMs;
    const at = Math.min(last, own);
    const latest = now + longestWaitMs;
    last = Math.min(last, latest);
    for (const [other, time] of lastOf) if (time <= now) lastOf.delete(other);
    lastOf.set(line, Math.min(at, latest));
    const waitMs = at <= latest ? at - now : longestWaitMs * (0.5 + Math.random() / 2);
    return { retryAfterMs: Math.ceil(waitMs), place: Math.round(waitMs / slotMs) };
  };
}
