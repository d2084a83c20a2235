import { column } from "../columns.ts";
import type { AssignmentId, ClassId } from "../ids.ts";

/** How many students a class has. */
export const classCounterColumns = {
  /** Students who ever joined. */
  registered: column.integer(),
  /** Students of those who have left. */
  withdrawn: column.integer(),
};

export const classProgressColumns = {
  classId: column.uuid<ClassId>(),
  code: column.text(),
  lengthDays: column.integer(),
  ...classCounterColumns,
};

export const assessmentProgressColumns = {
  assignmentId: column.uuid<AssignmentId>(),
  classId: column.uuid<ClassId>(),
  code: column.text(),
  kind: column.text(),
  /** Days from the class's first day to the due time's day, both in the tenant's time zone. */
  dueDay: column.orNull(column.integer()),
  weight: column.number(),
  /** Students who handed in; each counts once, with the attempt that the assignment counts. */
  submitted: column.integer(),
  banked: column.integer(),
  /** Of `submitted`, after the due time and the grace; null where there is no due time. */
  late: column.orNull(column.integer()),
  scored: column.integer(),
  /** Of `scored`, rounded half up to two decimals; null where nothing is scored. */
  meanScore: column.orNull(column.number()),
  /** Of `scored`, those with 40 and more. */
  passed: column.integer(),
};

/** How each class does with each assessment, counted up as events arrive. */
export const classProgressViews = {
  "class_progress.classes": classProgressColumns,
  "class_progress.assessments": assessmentProgressColumns,
};
