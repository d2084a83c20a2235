import {
  assignmentColumns,
  classColumns,
  column,
  submissionColumns,
  submissionOriginColumns,
  tenantColumns,
} from "@carillon/domain";
import { type RowOfTable, rowTable } from "../../../rows/row-table.ts";

export const version = 2;
export const schema = `class_progress_v${version}`;

const { timeZone } = tenantColumns;
const { classId, startsOn, lengthDays } = classColumns;
const { assignmentId, code, kind, weight, dueAt, graceSeconds, counts } = assignmentColumns;
const { studentId, submissionId, handedInAt, banked, score } = submissionColumns;
const { position } = submissionOriginColumns;

/** Whose time zone due days are in. */
export const tenants = rowTable(`${schema}.tenants`, { timeZone }, []);

/** Has `classCounterColumns` besides. */
export const classes = rowTable(`${schema}.classes`, { classId, code, startsOn, lengthDays }, ["classId"]);

/** A student who ever joined a class. */
export const students = rowTable(`${schema}.students`, { classId, studentId, present: column.boolean() }, [
  "classId",
  "studentId",
]);
export type Student = RowOfTable<(typeof students)["columns"]>;

/** Has `assessmentCounters` besides. */
export const assessments = rowTable(
  `${schema}.assessments`,
  { assignmentId, classId, code, kind, weight, dueAt, graceSeconds, counts },
  ["assignmentId"],
);

/** What the attempts that count add up to. */
export const attemptCounters = {
  submitted: column.integer(),
  banked: column.integer(),
  late: column.integer(),
  scored: column.integer(),
  passed: column.integer(),
};
export const assessmentCounters = { ...attemptCounters, scoreSum: column.decimal() };

/** Every attempt of every student. */
export const attempts = rowTable(
  `${schema}.attempts`,
  {
    assignmentId,
    studentId,
    submissionId,
    handedInAt,
    banked,
    score,
    lapsed: column.boolean(),
    position,
  },
  ["assignmentId", "studentId", "submissionId"],
);
