import { assignmentColumns, submissionColumns, submissionOriginColumns } from "@carillon/domain";
import { rowTable } from "../../rows/row-table.ts";

export const version = 2;
export const schema = `submissions_v${version}`;

const { assignmentId, counts } = assignmentColumns;

/** Which attempt each assignment counts. */
export const assignments = rowTable(`${schema}.assignments`, { assignmentId, counts }, ["assignmentId"]);

export const submissions = rowTable(
  `${schema}.submissions`,
  { ...submissionColumns, ...submissionOriginColumns },
  ["submissionId"],
);
