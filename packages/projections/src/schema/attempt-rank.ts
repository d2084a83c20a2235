import { sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * Makes `carillon.attempt_rank(counts, handed_in_at, position, score)`, the one function that says which of a student's
 * attempts at an assignment counts: the one of the greatest rank, of those that have not lapsed.
 *
 * `last`: the later handed in, of two at one time the later in the log; `first`: the opposite; `best`: the higher
 * score, where one without a score is below every other, and of two with one score the earlier.
 */
export const attemptRank: Migration = {
  async up(db) {
    await sql`
      create function carillon.attempt_rank(
        counts text, handed_in_at timestamptz, "position" bigint, score double precision
      ) returns numeric[]
      language sql immutable parallel safe
      return case counts
        when 'last' then array[extract(epoch from handed_in_at), "position"::numeric]
        when 'first' then array[-extract(epoch from handed_in_at), -"position"::numeric]
        when 'best' then array[
          coalesce(score, -1)::numeric, -extract(epoch from handed_in_at), -"position"::numeric
        ]
      end`.execute(db);
  },
};
