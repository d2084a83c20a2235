import { type Instant, instantOf } from "@carillon/domain";
import { sql, type Transaction } from "kysely";

/** One student's attempts at one assignment. */
export interface StudentWork {
  readonly assignment_id: string;
  readonly student_id: string;
}

/** The attempt of a student that counts. */
export interface CountingAttempt {
  readonly assignment_id: string;
  readonly submission_id: string;
  readonly handed_in_at: Instant;
  readonly banked: boolean;
  readonly score: number | null;
}

/** The attempt that counts of each of `work`; none where every attempt has lapsed, or there is no attempt. */
export async function countingAttempts(
  tx: Transaction<unknown>,
  tenantId: string,
  work: readonly StudentWork[],
): Promise<CountingAttempt[]> {
  if (work.length === 0) return [];
  const { rows } = await sql<Omit<CountingAttempt, "handed_in_at"> & { handed_in_at: Date }>`
    select counting.*
    from json_to_recordset(${JSON.stringify(work)}::json) as w(assignment_id uuid, student_id uuid)
    join class_progress_v2.assessments a on a.tenant_id = ${tenantId} and a.assignment_id = w.assignment_id
    cross join lateral (
      select t.assignment_id, t.submission_id, t.handed_in_at, t.banked, t.score
      from class_progress_v2.attempts t
      where t.tenant_id = ${tenantId} and t.assignment_id = w.assignment_id and t.student_id = w.student_id
        and not t.lapsed
      order by carillon.attempt_rank(a.counts, t.handed_in_at, t.position, t.score) desc
      limit 1
    ) counting`.execute(tx);
  return rows.map((row) => ({ ...row, handed_in_at: instantOf(row.handed_in_at) }));
}
