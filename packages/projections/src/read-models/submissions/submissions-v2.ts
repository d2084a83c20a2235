import { submissionViews } from "@carillon/domain";
import type { Migration } from "kysely/migration";
import {
  activate,
  createTenantIndex,
  createTenantTable,
  createVersionSchema,
  publishView,
} from "../../schema/tenant-tables.ts";
import { assignments, schema, submissions, version } from "./submissions-tables.ts";

/** Readers see of each submission whether it counts, and what content is in use. */
export const submissionsV2: Migration = {
  async up(db) {
    await createVersionSchema(db, schema);
    await createTenantTable(db, assignments);
    await createTenantTable(db, submissions);
    await createTenantIndex(db, submissions, ["studentId"]);
    await createTenantIndex(db, submissions, ["assignmentId", "studentId"]);
    await createTenantIndex(db, submissions, ["sha256"], "sha256 is not null and lapsed_at is null");
    await publishView(db, "submissions.submissions", submissionViews["submissions.submissions"], {
      from: `${schema}.submissions t`,
      computed: { counts, stream: "'submission-' || t.tenant_id || '_' || t.submission_id" },
    });
    await publishView(
      db,
      "submissions.content_references",
      submissionViews["submissions.content_references"],
      {
        from: `${schema}.submissions t
where t.sha256 is not null and t.lapsed_at is null
group by t.tenant_id, t.sha256`,
        computed: { references: "count(*)::integer" },
      },
    );
    await activate(db, "submissions", version);
  },
};

/** It has not lapsed, and no other of the student's attempts that have not is of a greater rank. */
const counts = `t.lapsed_at is null and not exists (
    select from ${schema}.submissions other
    join ${schema}.assignments a using (tenant_id, assignment_id)
    where other.tenant_id = t.tenant_id
      and other.assignment_id = t.assignment_id and other.student_id = t.student_id
      and other.lapsed_at is null
      and carillon.attempt_rank(a.counts, other.handed_in_at, other.position, other.score)
        > carillon.attempt_rank(a.counts, t.handed_in_at, t.position, t.score)
  )`;
