import { type RowTable, rowTable } from "../../../rows/row-table.ts";

/** Whose time zone due days are in. */
export const tenants = rowTable("class_progress_v2.tenants", { time_zone: "text" }, 0);

/** Has the counters `registered` and `withdrawn` besides. */
export const classes = rowTable(
  "class_progress_v2.classes",
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
  "class_progress_v2.students",
  { class_id: "uuid", student_id: "uuid", present: "boolean" },
  2,
) as RowTable<Student>;

/** Has the counters of its attempts besides. */
export const assessments = rowTable(
  "class_progress_v2.assessments",
  {
    assignment_id: "uuid",
    class_id: "uuid",
    code: "text",
    kind: "text",
    weight: "double precision",
    due_at: "timestamptz",
    grace_seconds: "integer",
    counts: "text",
  },
  1,
);

/** Every attempt of every student. */
export const attempts = rowTable(
  "class_progress_v2.attempts",
  {
    assignment_id: "uuid",
    student_id: "uuid",
    submission_id: "uuid",
    handed_in_at: "timestamptz",
    banked: "boolean",
    score: "double precision",
    lapsed: "boolean",
    position: "bigint",
  },
  3,
);
