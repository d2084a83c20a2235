import { accountColumns, loginTenantColumns } from "@carillon/domain";
import type { Migration } from "kysely/migration";
import {
  activate,
  createTenantTable,
  createVersionSchema,
  publishView,
} from "../../../schema/tenant-tables.ts";
import { accounts, schema, tenants, version } from "./credentials-tables.ts";

export const credentialsV1: Migration = {
  async up(db) {
    await createVersionSchema(db, schema);
    await createTenantTable(db, tenants);
    await createTenantTable(db, accounts, { unique: "username" });
    await publishView(db, "credentials.tenants", loginTenantColumns, { from: `${tenants.name} t` });
    await publishView(db, "credentials.accounts", accountColumns, { from: `${accounts.name} t` });
    await activate(db, "credentials", version);
  },
};
