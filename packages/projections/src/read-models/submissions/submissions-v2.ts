import type { Migration } from "kysely/migration";
import {
  activate,
  createTenantIndex,
  createTenantTable,
  createVersionSchema,
  publishView,
} from "../../schema/tenant-tables.ts";

const schema = "submissions_v2";

/** Submissions have lateness, lapse and who graded; readers see which attempt counts, and what content is in use. */
export const submissionsV2: Migration = {
  async up(db) {
    await createVersionSchema(db, schema);
    await createTenantTable(
      db,
      schema,
      "assignments",
      "assignment_id uuid not null, counts text not null, primary key (tenant_id, assignment_id)",
    );
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
      late boolean,
      penalty_percent double precision not null,
      upload_by timestamptz,
      received_at timestamptz,
      lapsed_at timestamptz,
      banked boolean not null,
      score double precision,
      raw_score double precision,
      grader text,
      feedback text,
      graded_at timestamptz,
      revision integer not null,
      position bigint not null,
      primary key (tenant_id, submission_id)`,
    );
    await createTenantIndex(db, schema, "submissions", "student_id");
    await createTenantIndex(db, schema, "submissions", "assignment_id, student_id");
    await createTenantIndex(db, schema, "submissions", "sha256", "sha256 is not null and lapsed_at is null");
    await publishView(
      db,
      "submissions",
      "submissions",
      `select
        s.tenant_id, s.submission_id, s.assignment_id, s.class_id, s.student_id, s.key,
        s.sha256, s.bytes, s.name, s.media_type,
        s.handed_in_at, s.late, s.penalty_percent, s.upload_by, s.received_at, s.lapsed_at, s.banked,
        s.score, s.raw_score, s.grader, s.feedback, s.graded_at,
        s.lapsed_at is null and not exists (
          select from ${schema}.submissions other
          join ${schema}.assignments a using (tenant_id, assignment_id)
          where other.tenant_id = s.tenant_id
            and other.assignment_id = s.assignment_id and other.student_id = s.student_id
            and other.lapsed_at is null
            and carillon.attempt_rank(a.counts, other.handed_in_at, other.position, other.score)
              > carillon.attempt_rank(a.counts, s.handed_in_at, s.position, s.score)
        ) as counts,
        'submission-' || s.tenant_id || '_' || s.submission_id as stream,
        s.revision, s.position
      from ${schema}.submissions s`,
    );
    await publishView(
      db,
      "submissions",
      "content_references",
      `select tenant_id, sha256, count(*)::integer as "references"
      from ${schema}.submissions
      where sha256 is not null and lapsed_at is null
      group by tenant_id, sha256`,
    );
    await activate(db, "submissions", 2);
  },
};
