import { type Columns, columnName, views } from "@carillon/domain";
import { openPostgres } from "@carillon/platform";
import {
  connectAsReader,
  passwords,
  startPostgres,
  type TestDatabase,
  type TestPostgres,
  test,
} from "@carillon/testkit";
import { sql } from "kysely";
import { afterAll, expect } from "vitest";
import { migrateDatabases } from "./migrate-databases.ts";

let postgres: TestPostgres;

test.beforeAll(async () => {
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

/** The columns of each view with their types, as the lists in the domain have them. */
const listed = (database: TestDatabase) =>
  Object.fromEntries(
    Object.entries<Columns>(views[database]).map(([view, columns]) => [
      view,
      {
        tenant_id: "uuid",
        ...Object.fromEntries(
          Object.entries(columns).map(([field, { sqlType }]) => [columnName(field), sqlType]),
        ),
      },
    ]),
  );

test.each(["live", "auth", "reports"] as const)(
  "the views of %s are what readers are told",
  async (database) => {
    const found = await asSuperuser<{ view: string; columns: Record<string, string> }>(
      database,
      `select c.relnamespace::regnamespace::text || '.' || c.relname as view,
       json_object_agg(
         a.attname, replace(a.atttypid::regtype::text, 'timestamp with time zone', 'timestamptz')
       ) as columns
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
     where c.relkind = 'v' and c.relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
     group by c.oid`,
    );
    expect(Object.fromEntries(found.map(({ view, columns }) => [view, columns]))).toEqual(listed(database));
  },
);
