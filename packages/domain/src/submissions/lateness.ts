import type { LatePolicy } from "../school/assignment.ts";
import type { Instant } from "../time.ts";

/** Whether work that was handed in at `at` came after the due time and the grace that is given. */
export const isLate = (at: Instant, dueAt: Instant | null, graceSeconds = 0) =>
  dueAt !== null && Date.parse(at) > Date.parse(dueAt) + graceSeconds * 1000;

const dayMs = 86_400_000;

/** What lateness takes off a score, in percent: for each day that has begun since the due time. */
export function penalty(policy: LatePolicy, at: Instant, dueAt: Instant): number {
  if (policy.kind !== "penalty") return 0;
  const days = Math.ceil((Date.parse(at) - Date.parse(dueAt)) / dayMs);
  return Math.min(100, days * policy.percentPerDay);
}
