import { directoryViews } from "@carillon/domain";
import type { Migration } from "kysely/migration";
import {
  activate,
  createTenantIndex,
  createTenantTable,
  createVersionSchema,
  publishView,
} from "../../../schema/tenant-tables.ts";
import { assignments, classes, memberships, people, schema, tenants, version } from "./directory-tables.ts";

export const directoryV2: Migration = {
  async up(db) {
    await createVersionSchema(db, schema);
    await createTenantTable(db, tenants);
    await createTenantTable(db, people, { unique: "username" });
    await createTenantTable(db, classes, { unique: "code" });
    await createTenantTable(db, memberships);
    await createTenantIndex(db, memberships, ["userId"]);
    await createTenantTable(db, assignments);
    await createTenantIndex(db, assignments, ["classId"]);
    for (const [name, columns] of Object.entries(directoryViews)) {
      const [, table] = name.split(".");
      await publishView(db, name, columns, { from: `${schema}.${table} t` });
    }
    await activate(db, "directory", version);
  },
};
