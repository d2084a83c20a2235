import type { DeadlineDay, RealHandIn } from "./deadline-days.ts";

/** Nobody sends within so long of a midnight, in milliseconds: a request takes a moment, and must not change days by it. */
const guardMs = 300;

/** A deadline day and the day after it, in a short while from `startMs` on. Each takes half of it. */
export interface CompressedDay {
  /** When a submission is sent, in milliseconds since 1970. */
  sentAt(handIn: RealHandIn): number;
  /**
   * When an assignment is due, in milliseconds since 1970: at the midnight that ends its due day. What was due earlier
   * is due as it begins, what is due later after it has ended.
   */
  dueAt(handIn: RealHandIn): number | null;
}

export function compress({ dueIn }: DeadlineDay, startMs: number, lengthMs: number): CompressedDay {
  const dayMs = lengthMs / 2;
  return {
    sentAt: ({ day, timeOfDay }) => startMs + day * dayMs + guardMs + timeOfDay * (dayMs - 2 * guardMs),
    dueAt({ assessment }) {
      const days = dueIn(assessment);
      return days === null ? null : startMs + (Math.min(Math.max(days, -1), 2) + 1) * dayMs;
    },
  };
}
