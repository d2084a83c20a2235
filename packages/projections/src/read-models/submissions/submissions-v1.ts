import type { Migration } from "kysely/migration";
import {
  activate,
  createTenantIndex,
  createTenantTable,
  createVersionSchema,
  publishView,
} from "../../schema/tenant-tables.ts";

const schema = "submissions_v1";

export const submissionsV1: Migration = {
  async up(db) {
    await createVersionSchema(db, schema);
    await createTenantTable(
      db,
      schema,
      "submissions",
      `submission_id uuid not null,
      assignment_id uuid not null,
      class_id uuid not null,
      student_id uuid not null,
      key text not null,
      sha256 text,
      bytes double precision,
      name text,
      media_type text,
      handed_in_at timestamptz not null,
      received_at timestamptz,
      banked boolean not null,
      score double precision,
      feedback text,
      graded_at timestamptz,
      revision integer not null,
      position bigint not null,
      primary key (tenant_id, submission_id)`,
    );
    await createTenantIndex(db, schema, "submissions", "student_id");
    await createTenantIndex(db, schema, "submissions", "assignment_id");
    await publishView(
      db,
      "submissions",
      "submissions",
      `select
        tenant_id, submission_id, assignment_id, class_id, student_id, key,
        sha256, bytes, name, media_type,
        handed_in_at, received_at, banked, score, feedback, graded_at,
        'submission-' || tenant_id || '_' || submission_id as stream,
        revision, position
      from ${schema}.submissions`,
    );
    await activate(db, "submissions", 1);
  },
};
