import type { AuthDatabase, LiveDatabase, ReportsDatabase } from "@carillon/platform";
import { openPostgres } from "@carillon/platform";
import { startPostgres, type TestDatabase, type TestPostgres } from "@carillon/platform/testing";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectAsReader, passwords } from "../testing/pipeline.ts";
import { migrateDatabases } from "./migrate-databases.ts";

let postgres: TestPostgres;

beforeAll(async () => {
  postgres = await startPostgres();
  // Two platforms that start at once.
  await Promise.all([1, 2].map(() => migrateDatabases(postgres.ownerUrls, passwords)));
});
afterAll(() => postgres.stop());

const asSuperuser = async <Row>(database: TestDatabase, query: string): Promise<Row[]> => {
  const db = openPostgres<unknown>(postgres.urlAs("postgres", "superuser", database), {
    name: "test",
    maxConnections: 1,
  });
  try {
    return (await sql.raw<Row>(query).execute(db)).rows;
  } finally {
    await db.destroy();
  }
};

test("migrating again changes nothing", async () => {
  const applied = () =>
    asSuperuser("live", "select name, timestamp from carillon.kysely_migration order by name");
  const before = await applied();
  await migrateDatabases(postgres.ownerUrls, passwords);
  expect(before.length).toBeGreaterThan(0);
  expect(await applied()).toEqual(before);
});

test("migrating again gives the roles new passwords", async () => {
  await migrateDatabases(postgres.ownerUrls, { ...passwords, readerPassword: "another" });
  await expect(connectAsReader(postgres, "live").ping()).rejects.toThrow("password authentication failed");
  await migrateDatabases(postgres.ownerUrls, passwords);
  await connectAsReader(postgres, "live").ping();
});

test("every table with a tenant's rows is under forced row-level security with a policy", async () => {
  for (const database of ["live", "auth", "reports"] as const) {
    const open = await asSuperuser(
      database,
      `select c.oid::regclass from pg_class c
       join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
       where c.relkind = 'r'
         and (not relrowsecurity or not relforcerowsecurity
           or not exists (select from pg_policy p where p.polrelid = c.oid))`,
    );
    const views = await asSuperuser(
      database,
      `select oid::regclass from pg_class
       where relkind = 'v' and relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
         and not coalesce(reloptions @> '{security_invoker=true}', false)`,
    );
    expect([...open, ...views]).toEqual([]);
  }
});

/** Every view with its columns. The compiler checks that the list is the type's, the test that it is the database's. */
const columns = <Views>(all: { [View in keyof Views]: { [Column in keyof Views[View]]: true } }) =>
  Object.fromEntries(Object.entries<object>(all).map(([view, of]) => [view, Object.keys(of).sort()]));

const typed: Record<TestDatabase, Record<string, string[]>> = {
  live: columns<LiveDatabase>({
    "directory.tenants": {
      tenant_id: true,
      name: true,
      slug: true,
      region: true,
      tier: true,
      time_zone: true,
      locale: true,
      branding: true,
    },
    "directory.people": {
      tenant_id: true,
      user_id: true,
      username: true,
      name: true,
      email: true,
      roles: true,
    },
    "directory.classes": {
      tenant_id: true,
      class_id: true,
      code: true,
      title: true,
      starts_on: true,
      length_days: true,
    },
    "directory.memberships": {
      tenant_id: true,
      class_id: true,
      user_id: true,
      role: true,
      joined_at: true,
      left_at: true,
    },
    "directory.assignments": {
      tenant_id: true,
      assignment_id: true,
      class_id: true,
      code: true,
      title: true,
      kind: true,
      weight: true,
      late_policy: true,
      grace_seconds: true,
      counts: true,
      autograded: true,
      published_at: true,
      due_at: true,
    },
    "submissions.submissions": {
      tenant_id: true,
      submission_id: true,
      assignment_id: true,
      class_id: true,
      student_id: true,
      key: true,
      sha256: true,
      bytes: true,
      name: true,
      media_type: true,
      handed_in_at: true,
      late: true,
      penalty_percent: true,
      upload_by: true,
      received_at: true,
      lapsed_at: true,
      banked: true,
      score: true,
      raw_score: true,
      grader: true,
      feedback: true,
      graded_at: true,
      counts: true,
      stream: true,
      revision: true,
      position: true,
    },
    "submissions.content_references": { tenant_id: true, sha256: true, references: true },
  }),
  auth: columns<AuthDatabase>({
    "credentials.tenants": { tenant_id: true, slug: true, region: true },
    "credentials.accounts": {
      tenant_id: true,
      user_id: true,
      username: true,
      roles: true,
      password_hash: true,
    },
  }),
  reports: columns<ReportsDatabase>({
    "class_progress.classes": {
      tenant_id: true,
      class_id: true,
      code: true,
      length_days: true,
      registered: true,
      withdrawn: true,
    },
    "class_progress.assessments": {
      tenant_id: true,
      assignment_id: true,
      class_id: true,
      code: true,
      kind: true,
      due_day: true,
      weight: true,
      submitted: true,
      banked: true,
      late: true,
      scored: true,
      mean_score: true,
      passed: true,
    },
  }),
};

test.each(["live", "auth", "reports"] as const)(
  "the views of %s are what readers are told",
  async (database) => {
    const found = await asSuperuser<{ view: string; names: string[] }>(
      database,
      `select c.relnamespace::regnamespace::text || '.' || c.relname as view,
       array_agg(a.attname::text order by a.attname::text collate "C") as names
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
     where c.relkind = 'v' and c.relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
     group by c.oid`,
    );
    expect(Object.fromEntries(found.map(({ view, names }) => [view, names]))).toEqual(typed[database]);
  },
);
