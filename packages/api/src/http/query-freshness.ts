import type { Fresh } from "@carillon/platform";
import { z } from "zod";

/** A place in the log as a command's answer named it. */
const Position = z
  .string()
  .regex(/^\d{1,19}$/, "use a position that a command has answered with")
  .transform(BigInt);

/** What every query may ask for: that it knows at least what the log held at this position. */
export const Reading = z.object({ atLeast: Position.optional() });

/** A query's answer: what was read, and how fresh it is. */
export const answer = <Value extends object>({ value, asOf, stale }: Fresh<Value>) => ({
  ...value,
  asOf,
  stale,
});

/** A list in parts, each at most `limit` long; `after` is the `next` of the part before. */
export const Page = Reading.extend({
  after: z.string().max(128).optional(),
  limit: z.int().min(1).max(1_000).default(500),
});

/** One part of a list and what the next one comes after, from rows that were read with one more than `limit`. */
export function page<Row>(rows: readonly Row[], limit: number, key: (row: Row) => string) {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? key(last) : null };
}
