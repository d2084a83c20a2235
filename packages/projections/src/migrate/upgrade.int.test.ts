import { column, type UserId } from "@carillon/domain";
import { openPostgres } from "@carillon/platform";
import { enrollTenant, enrollUser, type Pipeline, test, until } from "@carillon/testkit";
import { type Kysely, sql } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { expect } from "vitest";
import { projectionStatus } from "../projector/status.ts";
import { projections } from "../read-models/all-projections.ts";
import { type Projection, rowProjection } from "../rows/projection.ts";
import { put } from "../rows/row-change.ts";
import { rowTable } from "../rows/row-table.ts";
import { idOf } from "../rows/stream-id.ts";
import {
  activate,
  createTenantTable,
  createVersionSchema,
  dropVersionSchema,
  publishView,
} from "../schema/tenant-tables.ts";
import { migrations } from "./migrate-databases.ts";

const next = projections.directory.version + 1;
const schema = `directory_v${next}`;

const people = rowTable(`${schema}.people`, { userId: column.uuid<UserId>(), initial: column.text() }, [
  "userId",
]);

/** What a next version of the directory could be: it knows people by their initial. */
const nextMigration: Migration = {
  async up(db) {
    await createVersionSchema(db, schema);
    await createTenantTable(db, people);
    await publishView(db, "directory.people", people.columns, { from: `${people.name} t` });
    await activate(db, "directory", next);
    await dropVersionSchema(db, `directory_v${projections.directory.version}`);
  },
};

const nextDirectory: Projection = rowProjection(
  { name: "directory", version: next, database: "live" },
  {
    UserEnrolled: (event) => put(people, { userId: idOf(event), initial: event.data.username.slice(0, 1) }),
  },
);

let pipeline: Pipeline;

test.beforeAll(({ pipeline: own }) => {
  pipeline = own;
});

async function asOwner<Value>(work: (db: Kysely<unknown>) => Promise<Value>): Promise<Value> {
  const db = openPostgres<unknown>(pipeline.databases.ownerUrls.live, {
    name: "test owner",
    maxConnections: 2,
  });
  try {
    return await work(db);
  } finally {
    await db.destroy();
  }
}

const migrateToNext = () =>
  asOwner(async (db) => {
    const { error } = await new Migrator({
      db,
      provider: { getMigrations: async () => ({ ...migrations.live, "9999_next": nextMigration }) },
      migrationTableSchema: "carillon",
    }).migrateToLatest();
    if (error) throw error;
  });

test("a new version of a read model is built from the log in place of the old one; meanwhile readers are told", async () => {
  const tenantId = await enrollTenant(pipeline.eventLog, "north");
  const { position } = await enrollUser(pipeline.eventLog, tenantId, "ada");
  const read = (column: "username" | "initial", atLeast?: bigint) =>
    pipeline.live.read(tenantId, { projection: "directory", atLeast, patienceMs: 60_000 }, async (tx) => {
      const query = sql`select ${sql.ref(column)} from directory.people`;
      return (await query.execute(tx)).rows;
    });

  pipeline.startRelay();
  const projector = pipeline.startProjector([projections.directory]);
  const before = await read("username", position);
  expect(before).toMatchObject({ value: [{ username: "ada" }], stale: false });
  await projector.stop();

  await migrateToNext();
  expect(await read("initial")).toEqual({ value: [], asOf: { position: null, at: null }, stale: true });

  pipeline.startProjector([nextDirectory]);
  await until("the new version is as far as the old one was", async () => !(await read("initial")).stale);
  expect(await read("initial")).toEqual({ value: [{ initial: "a" }], asOf: before.asOf, stale: false });

  const status = await projectionStatus(pipeline.databases.urlAs("carillon_reader", "reader", "live"));
  expect(new Set(status.map(({ projection, version }) => `${projection} v${version}`))).toEqual(
    new Set([`directory v${next}`]),
  );
  const schemas = await asOwner((db) =>
    sql`select nspname from pg_namespace where nspname like 'directory\_v%'`.execute(db),
  );
  expect(schemas.rows).toEqual([{ nspname: schema }]);
});
