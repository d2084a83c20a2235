import {
  type AssignmentId,
  type ClassId,
  columnName,
  type Instant,
  instantOf,
  isLate,
  type TenantId,
} from "@carillon/domain";
import { sql, type Transaction } from "kysely";
import type { RevisedRow } from "../../../rows/row-change.ts";
import { assessments, attemptCounters, attempts, classes, type Student } from "./class-progress-tables.ts";
import type { CountingAttempt } from "./counting-attempts.ts";

/** From this score on an attempt is passed. */
const passMark = 40;

/** Adds to the counters of classes what changed about their students. */
export async function countStudents(
  tx: Transaction<unknown>,
  tenantId: TenantId,
  revised: readonly RevisedRow<Student>[],
): Promise<void> {
  if (revised.length === 0) return;
  const deltas = new Map<ClassId, { classId: ClassId; registered: number; withdrawn: number }>();
  for (const { before, after } of revised) {
    const { classId } = after;
    const delta = deltas.get(classId) ?? { classId, registered: 0, withdrawn: 0 };
    deltas.set(classId, delta);
    delta.registered += before ? 0 : 1;
    delta.withdrawn += gone(after) - gone(before);
  }
  await sql`
    update ${sql.raw(classes.name)} c
    set registered = c.registered + d.registered, withdrawn = c.withdrawn + d.withdrawn
    from json_to_recordset(${JSON.stringify([...deltas.values()])}::json)
      as d("classId" uuid, registered integer, withdrawn integer)
    where c.tenant_id = ${tenantId} and c.class_id = d."classId"`.execute(tx);
}

/**
 * Adds to the counters of assessments what changed about the attempts that count. Those in `rescheduled` are left out of
 * the late ones: `countLateAgain` counts them.
 */
export async function countAttempts(
  tx: Transaction<unknown>,
  tenantId: TenantId,
  before: readonly CountingAttempt[],
  after: readonly CountingAttempt[],
  rescheduled: ReadonlySet<AssignmentId>,
): Promise<void> {
  const ids = new Set([...before, ...after].map(({ assignmentId }) => assignmentId));
  if (ids.size === 0) return;
  const dueTimes = await loadDueTimes(tx, tenantId, [...ids]);
  const deltas = new Map([...ids].map((id) => [id, emptyDelta(id)]));
  const count = (attempt: CountingAttempt, sign: 1 | -1) => {
    const { assignmentId, score } = attempt;
    const delta = deltas.get(assignmentId);
    if (!delta) return;
    const due = rescheduled.has(assignmentId) ? undefined : dueTimes.get(assignmentId);
    add(delta, figures(attempt, due), sign);
    if (score !== null) (sign === 1 ? delta.scoresIn : delta.scoresOut).push(score);
  };
  for (const attempt of before) count(attempt, -1);
  for (const attempt of after) count(attempt, 1);
  await addToAssessments(tx, tenantId, [...deltas.values()]);
}

/** Counts the late ones of the attempts that count, for assessments whose due time was changed. */
export async function countLateAgain(
  tx: Transaction<unknown>,
  tenantId: TenantId,
  assignmentIds: readonly AssignmentId[],
): Promise<void> {
  if (assignmentIds.length === 0) return;
  await sql`
    update ${sql.raw(assessments.name)} a
    set late = (
      select count(*)
      from (
        select distinct on (t.student_id) t.handed_in_at
        from ${sql.raw(attempts.name)} t
        where t.tenant_id = a.tenant_id and t.assignment_id = a.assignment_id and not t.lapsed
        order by
          t.student_id,
          carillon.attempt_rank(a.counts, t.handed_in_at, t.position, t.score) desc
      ) counting
      where counting.handed_in_at > a.due_at + make_interval(secs => a.grace_seconds)
    )
    where a.tenant_id = ${tenantId} and a.assignment_id = any(${assignmentIds})`.execute(tx);
}

type Figures = Record<keyof typeof attemptCounters, number>;
const figureNames = Object.keys(attemptCounters) as (keyof Figures)[];

interface AttemptDelta extends Figures {
  readonly assignmentId: AssignmentId;
  readonly scoresIn: number[];
  readonly scoresOut: number[];
}

const emptyDelta = (assignmentId: AssignmentId): AttemptDelta => ({
  assignmentId,
  submitted: 0,
  banked: 0,
  late: 0,
  scored: 0,
  passed: 0,
  scoresIn: [],
  scoresOut: [],
});

interface DueTime {
  readonly at: Instant | null;
  readonly graceSeconds: number;
}

/** What one attempt adds to the counters. */
const figures = ({ handedInAt, banked, score }: CountingAttempt, due: DueTime | undefined): Figures => ({
  submitted: 1,
  banked: banked ? 1 : 0,
  late: due && isLate(handedInAt, due.at, due.graceSeconds) ? 1 : 0,
  scored: score !== null ? 1 : 0,
  passed: score !== null && score >= passMark ? 1 : 0,
});

function add(delta: Figures, figures: Figures, sign: 1 | -1): void {
  for (const name of figureNames) delta[name] += sign * figures[name];
}

const sums = sql.raw(
  figureNames.map((name) => `${columnName(name)} = a.${columnName(name)} + d."${name}"`).join(", "),
);
const figureTypes = sql.raw(
  figureNames.map((name) => `"${name}" ${attemptCounters[name].sqlType}`).join(", "),
);

/** Scores are summed in decimal by Postgres: binary fractions would drift. */
async function addToAssessments(
  tx: Transaction<unknown>,
  tenantId: TenantId,
  deltas: readonly AttemptDelta[],
): Promise<void> {
  await sql`
    update ${sql.raw(assessments.name)} a
    set
      ${sums},
      score_sum = a.score_sum
        + (select coalesce(sum(score::numeric), 0) from json_array_elements_text(d."scoresIn") score)
        - (select coalesce(sum(score::numeric), 0) from json_array_elements_text(d."scoresOut") score)
    from json_to_recordset(${JSON.stringify(deltas)}::json)
      as d("assignmentId" uuid, ${figureTypes}, "scoresIn" json, "scoresOut" json)
    where a.tenant_id = ${tenantId} and a.assignment_id = d."assignmentId"`.execute(tx);
}

async function loadDueTimes(
  tx: Transaction<unknown>,
  tenantId: TenantId,
  assignmentIds: readonly AssignmentId[],
): Promise<Map<AssignmentId, DueTime>> {
  const { rows } = await sql<{ id: AssignmentId; dueAt: Date | null; graceSeconds: number }>`
    select assignment_id as id, due_at as "dueAt", grace_seconds as "graceSeconds"
    from ${sql.raw(assessments.name)}
    where tenant_id = ${tenantId} and assignment_id = any(${assignmentIds})`.execute(tx);
  return new Map(
    rows.map(({ id, dueAt, graceSeconds }) => [id, { at: dueAt && instantOf(dueAt), graceSeconds }]),
  );
}

const gone = (student: Student | undefined) => (student && !student.present ? 1 : 0);
