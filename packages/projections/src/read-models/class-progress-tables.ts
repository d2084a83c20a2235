import { type RowTable, rowTable } from "../row-table.ts";

/** Whose time zone due days are in. */
export const tenants = rowTable("class_progress_v1.tenants", { time_zone: "text" }, 0);

/** Has the counters `registered` and `withdrawn` besides. */
export const classes = rowTable(
  "class_progress_v1.classes",
  { class_id: "uuid", code: "text", starts_on: "date", length_days: "integer" },
  1,
);

/** A student who ever joined a class. */
export interface Student {
  readonly [column: string]: unknown;
  readonly class_id: string;
  readonly student_id: string;
  readonly present: boolean;
}
export const students = rowTable(
  "class_progress_v1.students",
  { class_id: "uuid", student_id: "uuid", present: "boolean" },
  2,
) as RowTable<Student>;

/** Has the counters of its attempts besides. */
export const assessments = rowTable(
  "class_progress_v1.assessments",
  {
    assignment_id: "uuid",
    class_id: "uuid",
    code: "text",
    kind: "text",
    weight: "double precision",
    due_at: "timestamptz",
  },
  1,
);

/** The attempt of a student that counts. */
export interface Attempt {
  readonly [column: string]: unknown;
  readonly assignment_id: string;
  readonly student_id: string;
  readonly submission_id: string;
  readonly handed_in_at: string;
  readonly banked: boolean;
  readonly score: number | null;
}
export const attempts = rowTable(
  "class_progress_v1.attempts",
  {
    assignment_id: "uuid",
    student_id: "uuid",
    submission_id: "uuid",
    handed_in_at: "timestamptz",
    banked: "boolean",
    score: "double precision",
  },
  2,
) as RowTable<Attempt>;
