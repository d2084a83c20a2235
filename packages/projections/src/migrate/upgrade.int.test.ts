import {
  assignmentDecider,
  assignmentIdOf,
  classDecider,
  classIdOf,
  instantOf,
  membershipDecider,
  membershipIdOf,
  submissionDecider,
  submissionIdOf,
  type TenantId,
  userIdOf,
} from "@carillon/domain";
import { commandContext, openPostgres, partitionOf } from "@carillon/platform";
import { type Kysely, sql } from "kysely";
import { Migrator } from "kysely/migration";
import { afterAll, beforeAll, expect, test } from "vitest";
import { projectionStatus } from "../projector/status.ts";
import { projections } from "../read-models/all-projections.ts";
import { type Pipeline, passwords, startPipeline } from "../testing/pipeline.ts";
import { enrollTenant, enrollUser } from "../testing/school.ts";
import { until } from "../testing/until.ts";
import { ensureRoles } from "./database-roles.ts";
import { type DatabaseName, migrateDatabases, migrations } from "./migrate-databases.ts";

/** What the databases of the first release had been through. */
const firstRelease: Record<DatabaseName, string> = {
  live: "0003_submissions_v1",
  auth: "0002_credentials_v1",
  reports: "0002_class_progress_v1",
};

let pipeline: Pipeline;

beforeAll(async () => {
  pipeline = await startPipeline({ migrate: migrateToFirstRelease });
});
afterAll(() => pipeline.stop());

async function asOwner<Value>(url: string, work: (db: Kysely<unknown>) => Promise<Value>): Promise<Value> {
  const db = openPostgres<unknown>(url, { name: "test owner", maxConnections: 2 });
  try {
    return await work(db);
  } finally {
    await db.destroy();
  }
}

async function migrateToFirstRelease(urls: Record<DatabaseName, string>) {
  for (const name of ["live", "auth", "reports"] as const) {
    await asOwner(urls[name], async (db) => {
      await ensureRoles(db, passwords);
      const { error } = await new Migrator({
        db,
        provider: { getMigrations: async () => migrations[name] },
        migrationTableSchema: "carillon",
      }).migrateTo(firstRelease[name]);
      if (error) throw error;
    });
  }
}

/** A student who hands in twice. Gives the position of the last event. */
async function handIn(tenantId: TenantId): Promise<bigint> {
  const { eventLog } = pipeline;
  const at = instantOf(new Date());
  const context = () => commandContext(tenantId, "system:test", at);
  const classId = classIdOf(tenantId, "A");
  const assignmentId = assignmentIdOf(classId, "1");
  const studentId = userIdOf(tenantId, "ada");
  await enrollUser(eventLog, tenantId, "ada");
  const profile = { code: "A", title: "A", startsOn: "2026-09-01", lengthDays: 100 };
  await eventLog.execute(classDecider, tenantId, classId, [
    { command: { type: "OpenClass", profile }, context: context() },
  ]);
  const { state: membership } = await eventLog.execute(
    membershipDecider,
    tenantId,
    membershipIdOf(classId, studentId),
    [
      {
        command: {
          type: "JoinClass",
          classId,
          userId: studentId,
          as: "student",
          classOpened: true,
          userEnrolled: true,
        },
        context: context(),
      },
    ],
  );
  const { state: assignment } = await eventLog.execute(assignmentDecider, tenantId, assignmentId, [
    {
      command: {
        type: "PublishAssignment",
        classId,
        classOpened: true,
        profile: {
          code: "1",
          title: "One",
          kind: "TMA",
          weight: 10,
          latePolicy: { kind: "accept" },
          graceSeconds: 60,
          counts: "first",
          answerKey: null,
        },
        dueAt: null,
        at,
      },
      context: context(),
    },
  ]);
  let last = 0n;
  for (const key of ["1", "2"]) {
    const content = { sha256: key.repeat(64), bytes: 1, name: "a", mediaType: "text/plain" };
    const { position } = await eventLog.execute(
      submissionDecider,
      tenantId,
      submissionIdOf(tenantId, assignmentId, studentId, key),
      [
        {
          command: {
            type: "CommitSubmission",
            facts: { assignmentId, studentId, assignment, membership },
            key,
            content,
            at: instantOf(new Date()),
            uploadBy: null,
          },
          context: context(),
        },
      ],
    );
    last = position;
  }
  return last;
}

test("a folder of the first release comes up with new versions, built from the log; meanwhile readers are told", async () => {
  const tenantId = await enrollTenant(pipeline.eventLog, "north");
  const position = await handIn(tenantId);
  const partition = partitionOf(tenantId);
  // What the first release's projectors had left.
  for (const [database, projection] of [
    ["live", "directory"],
    ["live", "submissions"],
    ["reports", "class_progress"],
  ] as const) {
    await sql`
      insert into carillon.checkpoints (projection, version, partition, position, created)
      values (${projection}, 1, ${partition}, ${String(position)}, now())`.execute(
      pipeline.projectorDb(database),
    );
  }
  await pipeline
    .projectorDb("live")
    .transaction()
    .execute(async (tx) => {
      await sql`select set_config('carillon.tenant_id', ${tenantId}, true)`.execute(tx);
      await sql`
      insert into directory_v1.people (tenant_id, user_id, username, name, roles)
      values (${tenantId}, ${userIdOf(tenantId, "ada")}, 'ada', 'Ada', '{student}')`.execute(tx);
    });

  await migrateDatabases(pipeline.postgres.ownerUrls, passwords);

  const people = (atLeast?: bigint) =>
    pipeline.live.read(tenantId, { projection: "directory", atLeast, patienceMs: 0 }, (tx) =>
      tx.selectFrom("directory.people").select("username").execute(),
    );
  expect(await people()).toEqual({ value: [], asOf: { position: null, at: null }, stale: true });

  pipeline.startRelay();
  pipeline.startProjector([projections.directory, projections.submissions]);
  pipeline.startProjector([projections.class_progress]);
  const counting = () =>
    pipeline.live.read(tenantId, { projection: "submissions" }, (tx) =>
      tx.selectFrom("submissions.submissions").select(["key", "counts"]).orderBy("key").execute(),
    );
  const submitted = () =>
    pipeline.reports.read(tenantId, { projection: "class_progress" }, (tx) =>
      tx.selectFrom("class_progress.assessments").select("submitted").execute(),
    );
  await until("the new versions are as far as the old ones were", async () => {
    const all = [await people(), await counting(), await submitted()];
    return all.every(({ stale }) => !stale);
  });
  expect((await people()).value).toEqual([{ username: "ada" }]);
  expect((await counting()).value).toEqual([
    { key: "1", counts: true },
    { key: "2", counts: false },
  ]);
  expect((await submitted()).value).toEqual([{ submitted: 1 }]);

  const status = await projectionStatus(pipeline.postgres.urlAs("carillon_reader", "reader", "live"));
  expect(new Set(status.map(({ projection, version }) => `${projection} v${version}`))).toEqual(
    new Set(["directory v2", "submissions v2"]),
  );
  const schemas = await asOwner(pipeline.postgres.ownerUrls.live, (db) =>
    sql`select nspname from pg_namespace where nspname like '%\_v1'`.execute(db),
  );
  expect(schemas.rows).toEqual([]);
});
