import type { Migration } from "kysely/migration";
import {
  activate,
  createTenantTable,
  createVersionSchema,
  publishView,
} from "../../../schema/tenant-tables.ts";

const schema = "credentials_v1";

export const credentialsV1: Migration = {
  async up(db) {
    await createVersionSchema(db, schema);
    await createTenantTable(
      db,
      schema,
      "tenants",
      `slug text not null,
      region text not null,
      primary key (tenant_id)`,
    );
    await createTenantTable(
      db,
      schema,
      "accounts",
      `user_id uuid not null,
      username text not null,
      roles text[] not null,
      password_hash text,
      primary key (tenant_id, user_id),
      unique (tenant_id, username)`,
    );
    for (const table of ["tenants", "accounts"]) {
      await publishView(db, "credentials", table, `select * from ${schema}.${table}`);
    }
    await activate(db, "credentials", 1);
  },
};
