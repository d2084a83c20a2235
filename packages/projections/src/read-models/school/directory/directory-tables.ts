import {
  assignmentColumns,
  classColumns,
  membershipColumns,
  personColumns,
  tenantColumns,
} from "@carillon/domain";
import { rowTable } from "../../../rows/row-table.ts";

export const version = 2;
export const schema = `directory_v${version}`;

export const tenants = rowTable(`${schema}.tenants`, tenantColumns, []);
export const people = rowTable(`${schema}.people`, personColumns, ["userId"]);
export const classes = rowTable(`${schema}.classes`, classColumns, ["classId"]);
export const memberships = rowTable(`${schema}.memberships`, membershipColumns, ["classId", "userId"]);
export const assignments = rowTable(`${schema}.assignments`, assignmentColumns, ["assignmentId"]);
