import { assessmentProgressColumns, classCounterColumns, classProgressColumns } from "@carillon/domain";
import type { Migration } from "kysely/migration";
import {
  activate,
  createTenantTable,
  createVersionSchema,
  publishView,
} from "../../../schema/tenant-tables.ts";
import {
  assessmentCounters,
  assessments,
  attempts,
  classes,
  schema,
  students,
  tenants,
  version,
} from "./class-progress-tables.ts";

/** Counters (`classes`, `assessments`), and the facts that a change of a counter is worked out from. */
export const classProgressV2: Migration = {
  async up(db) {
    await createVersionSchema(db, schema);
    await createTenantTable(db, tenants);
    await createTenantTable(db, classes, { counters: classCounterColumns });
    await createTenantTable(db, students);
    await createTenantTable(db, assessments, { counters: assessmentCounters });
    await createTenantTable(db, attempts);
    await publishView(db, "class_progress.classes", classProgressColumns, { from: `${classes.name} t` });
    await publishView(db, "class_progress.assessments", assessmentProgressColumns, {
      from: `${assessments.name} t
join ${classes.name} c using (tenant_id, class_id)
join ${tenants.name} s using (tenant_id)`,
      computed: {
        dueDay: "(t.due_at at time zone s.time_zone)::date - c.starts_on",
        late: "case when t.due_at is not null then t.late end",
        meanScore: "round(t.score_sum / nullif(t.scored, 0), 2)::float8",
      },
    });
    await activate(db, "class_progress", version);
  },
};
