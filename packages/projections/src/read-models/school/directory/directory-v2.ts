import type { Migration } from "kysely/migration";
import {
  activate,
  createTenantIndex,
  createTenantTable,
  createVersionSchema,
  publishView,
} from "../../../schema/tenant-tables.ts";

const schema = "directory_v2";

/** Assignments have their grace time, which attempt counts, and whether a program marks them. */
export const directoryV2: Migration = {
  async up(db) {
    await createVersionSchema(db, schema);
    await createTenantTable(
      db,
      schema,
      "tenants",
      `name text not null,
      slug text not null,
      region text not null,
      tier text not null,
      time_zone text not null,
      locale text not null,
      branding jsonb not null,
      primary key (tenant_id)`,
    );
    await createTenantTable(
      db,
      schema,
      "people",
      `user_id uuid not null,
      username text not null,
      name text not null,
      email text,
      roles text[] not null,
      primary key (tenant_id, user_id),
      unique (tenant_id, username)`,
    );
    await createTenantTable(
      db,
      schema,
      "classes",
      `class_id uuid not null,
      code text not null,
      title text not null,
      starts_on date not null,
      length_days integer not null,
      primary key (tenant_id, class_id),
      unique (tenant_id, code)`,
    );
    await createTenantTable(
      db,
      schema,
      "memberships",
      `class_id uuid not null,
      user_id uuid not null,
      role text not null,
      joined_at timestamptz not null,
      left_at timestamptz,
      primary key (tenant_id, class_id, user_id)`,
    );
    await createTenantIndex(db, schema, "memberships", "user_id");
    await createTenantTable(
      db,
      schema,
      "assignments",
      `assignment_id uuid not null,
      class_id uuid not null,
      code text not null,
      title text not null,
      kind text not null,
      weight double precision not null,
      late_policy jsonb not null,
      grace_seconds integer not null,
      counts text not null,
      autograded boolean not null,
      published_at timestamptz not null,
      due_at timestamptz,
      primary key (tenant_id, assignment_id)`,
    );
    await createTenantIndex(db, schema, "assignments", "class_id");
    for (const table of ["tenants", "people", "classes", "memberships", "assignments"]) {
      await publishView(db, "directory", table, `select * from ${schema}.${table}`);
    }
    await activate(db, "directory", 2);
  },
};
