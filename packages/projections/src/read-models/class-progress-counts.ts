import { type Instant, instantOf, isLate } from "@carillon/domain";
import { sql, type Transaction } from "kysely";
import type { RevisedRow } from "../row-change.ts";
import type { Attempt, Student } from "./class-progress-tables.ts";

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
    update class_progress_v1.classes c
    set registered = c.registered + d.registered, withdrawn = c.withdrawn + d.withdrawn
    from json_to_recordset(${JSON.stringify([...deltas.values()])}::json)
      as d(class_id uuid, registered integer, withdrawn integer)
    where c.tenant_id = ${tenantId} and c.class_id = d.class_id`.execute(tx);
}

/**
 * Adds to the counters of assessments what changed about their attempts. Scores are summed in decimal by Postgres:
 * binary fractions would drift. Those in `rescheduled` are left out of the late ones: `countLateAgain` counts them.
 */
export async function countAttempts(
  tx: Transaction<unknown>,
  tenantId: string,
  revised: readonly RevisedRow<Attempt>[],
  rescheduled: ReadonlySet<string>,
): Promise<void> {
  if (revised.length === 0) return;
  const dueTimes = await loadDueTimes(tx, tenantId, [
    ...new Set(revised.map(({ after }) => after.assignment_id)),
  ]);
  const deltas = new Map<string, AttemptDelta>();
  for (const { before, after } of revised) {
    const { assignment_id } = after;
    const delta = entry(deltas, assignment_id, () => emptyDelta(assignment_id));
    const dueAt = rescheduled.has(assignment_id) ? null : (dueTimes.get(assignment_id) ?? null);
    add(delta, figures(after, dueAt), 1);
    add(delta, figures(before, dueAt), -1);
    if (after.score !== null) delta.scores_in.push(after.score);
    if (before && before.score !== null) delta.scores_out.push(before.score);
  }
  await sql`
    update class_progress_v1.assessments a
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

/** Counts the late attempts of assessments whose due time was changed. */
export async function countLateAgain(
  tx: Transaction<unknown>,
  tenantId: string,
  assignmentIds: readonly string[],
): Promise<void> {
  if (assignmentIds.length === 0) return;
  await sql`
    update class_progress_v1.assessments a
    set late = (
      select count(*)
      from class_progress_v1.attempts t
      where t.tenant_id = a.tenant_id and t.assignment_id = a.assignment_id and t.handed_in_at > a.due_at
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

/** What one attempt adds to the counters. */
const figures = (attempt: Attempt | undefined, dueAt: Instant | null): Figures => ({
  submitted: attempt ? 1 : 0,
  banked: attempt?.banked ? 1 : 0,
  late: attempt && isLate(attempt.handed_in_at as Instant, dueAt) ? 1 : 0,
  scored: attempt && attempt.score !== null ? 1 : 0,
  passed: attempt && attempt.score !== null && attempt.score >= passMark ? 1 : 0,
});

function add(delta: Figures, figures: Figures, sign: 1 | -1): void {
  delta.submitted += sign * figures.submitted;
  delta.banked += sign * figures.banked;
  delta.late += sign * figures.late;
  delta.scored += sign * figures.scored;
  delta.passed += sign * figures.passed;
}

async function loadDueTimes(tx: Transaction<unknown>, tenantId: string, assignmentIds: string[]) {
  const { rows } = await sql<{ assignment_id: string; due_at: Date | null }>`
    select assignment_id, due_at
    from class_progress_v1.assessments
    where tenant_id = ${tenantId} and assignment_id = any(${assignmentIds})`.execute(tx);
  return new Map(rows.map(({ assignment_id, due_at }) => [assignment_id, due_at && instantOf(due_at)]));
}

const gone = (student: Student | undefined) => (student && !student.present ? 1 : 0);

function entry<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const found = map.get(key);
  if (found) return found;
  const made = make();
  map.set(key, made);
  return made;
}
