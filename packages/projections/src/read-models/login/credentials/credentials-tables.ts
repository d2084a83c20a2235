import { accountColumns, loginTenantColumns } from "@carillon/domain";
import { rowTable } from "../../../rows/row-table.ts";

export const version = 1;
export const schema = `credentials_v${version}`;

export const tenants = rowTable(`${schema}.tenants`, loginTenantColumns, []);
export const accounts = rowTable(`${schema}.accounts`, accountColumns, ["userId"]);
