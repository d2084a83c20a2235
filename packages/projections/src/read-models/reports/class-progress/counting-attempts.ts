import { type AssignmentId, instantOf, type TenantId, type UserId } from "@carillon/domain";
import { sql, type Transaction } from "kysely";
import type { RowOfTable } from "../../../rows/row-table.ts";
import { assessments, attempts } from "./class-progress-tables.ts";

/** One student's attempts at one assignment. */
export interface StudentWork {
  readonly assignmentId: AssignmentId;
  readonly studentId: UserId;
}

/** The attempt of a student that counts. */
export type CountingAttempt = Pick<
  RowOfTable<(typeof attempts)["columns"]>,
  "assignmentId" | "handedInAt" | "banked" | "score"
>;

type StoredAttempt = Omit<CountingAttempt, "handedInAt"> & { readonly handedInAt: Date };

/** The attempt that counts of each of `work`; none where every attempt has lapsed, or there is no attempt. */
export async function countingAttempts(
  tx: Transaction<unknown>,
  tenantId: TenantId,
  work: readonly StudentWork[],
): Promise<CountingAttempt[]> {
  if (work.length === 0) return [];
  const { rows } = await sql<StoredAttempt>`
    select counting.*
    from json_to_recordset(${JSON.stringify(work)}::json) as w("assignmentId" uuid, "studentId" uuid)
    join ${sql.raw(assessments.name)} a on a.tenant_id = ${tenantId} and a.assignment_id = w."assignmentId"
    cross join lateral (
      select t.assignment_id as "assignmentId", t.handed_in_at as "handedInAt", t.banked, t.score
      from ${sql.raw(attempts.name)} t
      where t.tenant_id = ${tenantId} and t.assignment_id = w."assignmentId" and t.student_id = w."studentId"
        and not t.lapsed
      order by carillon.attempt_rank(a.counts, t.handed_in_at, t.position, t.score) desc
      limit 1
    ) counting`.execute(tx);
  return rows.map((row) => ({ ...row, handedInAt: instantOf(row.handedInAt) }));
}
