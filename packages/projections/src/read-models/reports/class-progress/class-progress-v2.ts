import type { Migration } from "kysely/migration";
import {
  activate,
  createTenantTable,
  createVersionSchema,
  publishView,
} from "../../../schema/tenant-tables.ts";

const schema = "class_progress_v2";

/** Every attempt is kept, and assessments have their grace time and say which attempt counts. */
export const classProgressV2: Migration = {
  async up(db) {
    await createVersionSchema(db, schema);
    await createTenantTable(db, schema, "tenants", "time_zone text not null, primary key (tenant_id)");
    await createTenantTable(
      db,
      schema,
      "classes",
      `class_id uuid not null,
      code text not null,
      starts_on date not null,
      length_days integer not null,
      registered integer not null default 0,
      withdrawn integer not null default 0,
      primary key (tenant_id, class_id)`,
    );
    await createTenantTable(
      db,
      schema,
      "students",
      `class_id uuid not null,
      student_id uuid not null,
      present boolean not null,
      primary key (tenant_id, class_id, student_id)`,
    );
    await createTenantTable(
      db,
      schema,
      "assessments",
      `assignment_id uuid not null,
      class_id uuid not null,
      code text not null,
      kind text not null,
      weight double precision not null,
      due_at timestamptz,
      grace_seconds integer not null,
      counts text not null,
      submitted integer not null default 0,
      banked integer not null default 0,
      late integer not null default 0,
      scored integer not null default 0,
      score_sum numeric not null default 0,
      passed integer not null default 0,
      primary key (tenant_id, assignment_id)`,
    );
    await createTenantTable(
      db,
      schema,
      "attempts",
      `assignment_id uuid not null,
      student_id uuid not null,
      submission_id uuid not null,
      handed_in_at timestamptz not null,
      banked boolean not null,
      score double precision,
      lapsed boolean not null,
      position bigint not null,
      primary key (tenant_id, assignment_id, student_id, submission_id)`,
    );
    await publishView(
      db,
      "class_progress",
      "classes",
      `select tenant_id, class_id, code, length_days, registered, withdrawn from ${schema}.classes`,
    );
    await publishView(
      db,
      "class_progress",
      "assessments",
      `select
        a.tenant_id, a.assignment_id, a.class_id, a.code, a.kind,
        (a.due_at at time zone t.time_zone)::date - c.starts_on as due_day,
        a.weight, a.submitted, a.banked,
        case when a.due_at is not null then a.late end as late,
        a.scored,
        round(a.score_sum / nullif(a.scored, 0), 2)::float8 as mean_score,
        a.passed
      from ${schema}.assessments a
      join ${schema}.classes c using (tenant_id, class_id)
      join ${schema}.tenants t using (tenant_id)`,
    );
    await activate(db, "class_progress", 2);
  },
};
