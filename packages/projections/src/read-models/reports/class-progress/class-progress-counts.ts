import { type Instant, instantOf, isLate } from "@carillon/domain";
import { sql, type Transaction } from "kysely";
import type { RevisedRow } from "../../../rows/row-change.ts";
import type { Student } from "./class-progress-tables.ts";
import type { CountingAttempt } from "./counting-attempts.ts";

/** From this score on an attempt is passed. */
const passMark = 40;

/** Adds to the counters of classes what changed about their students. */
export async function countStudents(
  tx: Transaction<unknown>,
  tenantId: string,
  revised: readonly RevisedRow<Student>[],
): Promise<void> {
  if (revised.length === 0) return;
  const deltas = new Map<string, { class_id: string; registered: number; withdrawn: number }>();
  for (const { before, after } of revised) {
    const delta = entry(deltas, after.class_id, () => ({
      class_id: after.class_id,
      registered: 0,
      withdrawn: 0,
    }));
    delta.registered += before ? 0 : 1;
    delta.withdrawn += gone(after) - gone(before);
  }
  await sql`
    update class_progress_v2.classes c
    set registered = c.registered + d.registered, withdrawn = c.withdrawn + d.withdrawn
    from json_to_recordset(${JSON.stringify([...deltas.values()])}::json)
      as d(class_id uuid, registered integer, withdrawn integer)
    where c.tenant_id = ${tenantId} and c.class_id = d.class_id`.execute(tx);
}

/**
 * Adds to the counters of assessments what changed about the attempts that count. Scores are summed in decimal by
 * Postgres: binary fractions would drift. Those in `rescheduled` are left out of the late ones: `countLateAgain` counts them.
 */
export async function countAttempts(
  tx: Transaction<unknown>,
  tenantId: string,
  before: readonly CountingAttempt[],
  after: readonly CountingAttempt[],
  rescheduled: ReadonlySet<string>,
): Promise<void> {
  const ids = new Set([...before, ...after].map(({ assignment_id }) => assignment_id));
  if (ids.size === 0) return;
  const dueTimes = await loadDueTimes(tx, tenantId, [...ids]);
  const deltas = new Map([...ids].map((id) => [id, emptyDelta(id)]));
  const count = (attempt: CountingAttempt, sign: 1 | -1) => {
    const { assignment_id, score } = attempt;
    const delta = deltas.get(assignment_id);
    if (!delta) return;
    const due = rescheduled.has(assignment_id) ? undefined : dueTimes.get(assignment_id);
    add(delta, figures(attempt, due), sign);
    if (score !== null) (sign === 1 ? delta.scores_in : delta.scores_out).push(score);
  };
  for (const attempt of before) count(attempt, -1);
  for (const attempt of after) count(attempt, 1);
  await sql`
    update class_progress_v2.assessments a
    set
      submitted = a.submitted + d.submitted,
      banked = a.banked + d.banked,
      late = a.late + d.late,
      scored = a.scored + d.scored,
      passed = a.passed + d.passed,
      score_sum = a.score_sum
        + (select coalesce(sum(score::numeric), 0) from json_array_elements_text(d.scores_in) score)
        - (select coalesce(sum(score::numeric), 0) from json_array_elements_text(d.scores_out) score)
    from json_to_recordset(${JSON.stringify([...deltas.values()])}::json) as d(
      assignment_id uuid, submitted integer, banked integer, late integer, scored integer, passed integer,
      scores_in json, scores_out json
    )
    where a.tenant_id = ${tenantId} and a.assignment_id = d.assignment_id`.execute(tx);
}

/** Counts the late ones of the attempts that count, for assessments whose due time was changed. */
export async function countLateAgain(
  tx: Transaction<unknown>,
  tenantId: string,
  assignmentIds: readonly string[],
): Promise<void> {
  if (assignmentIds.length === 0) return;
  await sql`
    update class_progress_v2.assessments a
    set late = (
      select count(*)
      from (
        select distinct on (t.student_id) t.handed_in_at
        from class_progress_v2.attempts t
        where t.tenant_id = a.tenant_id and t.assignment_id = a.assignment_id and not t.lapsed
        order by
          t.student_id,
          carillon.attempt_rank(a.counts, t.handed_in_at, t.position, t.score) desc
      ) counting
      where counting.handed_in_at > a.due_at + make_interval(secs => a.grace_seconds)
    )
    where a.tenant_id = ${tenantId} and a.assignment_id = any(${assignmentIds})`.execute(tx);
}

interface Figures {
  submitted: number;
  banked: number;
  late: number;
  scored: number;
  passed: number;
}

interface AttemptDelta extends Figures {
  readonly assignment_id: string;
  readonly scores_in: number[];
  readonly scores_out: number[];
}

const emptyDelta = (assignment_id: string): AttemptDelta => ({
  assignment_id,
  submitted: 0,
  banked: 0,
  late: 0,
  scored: 0,
  passed: 0,
  scores_in: [],
  scores_out: [],
});

interface DueTime {
  readonly at: Instant | null;
  readonly graceSeconds: number;
}

/** What one attempt adds to the counters. */
const figures = ({ handed_in_at, banked, score }: CountingAttempt, due: DueTime | undefined): Figures => ({
  submitted: 1,
  banked: banked ? 1 : 0,
  late: due && isLate(handed_in_at, due.at, due.graceSeconds) ? 1 : 0,
  scored: score !== null ? 1 : 0,
  passed: score !== null && score >= passMark ? 1 : 0,
});

function add(delta: Figures, figures: Figures, sign: 1 | -1): void {
  delta.submitted += sign * figures.submitted;
  delta.banked += sign * figures.banked;
  delta.late += sign * figures.late;
  delta.scored += sign * figures.scored;
  delta.passed += sign * figures.passed;
}

async function loadDueTimes(
  tx: Transaction<unknown>,
  tenantId: string,
  assignmentIds: string[],
): Promise<Map<string, DueTime>> {
  const { rows } = await sql<{ assignment_id: string; due_at: Date | null; grace_seconds: number }>`
    select assignment_id, due_at, grace_seconds
    from class_progress_v2.assessments
    where tenant_id = ${tenantId} and assignment_id = any(${assignmentIds})`.execute(tx);
  return new Map(
    rows.map(({ assignment_id, due_at, grace_seconds }) => [
      assignment_id,
      { at: due_at && instantOf(due_at), graceSeconds: grace_seconds },
    ]),
  );
}

const gone = (student: Student | undefined) => (student && !student.present ? 1 : 0);

function entry<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const found = map.get(key);
  if (found) return found;
  const made = make();
  map.set(key, made);
  return made;
}
