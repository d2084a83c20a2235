import { CarillonError, type LiveDatabase, tenantIdOf } from "@carillon/domain";
import { type CheckpointTables, connectDatabase, type Database, partitionOf } from "@carillon/platform";
import { connectAsProjector, connectAsReader, test } from "@carillon/testkit";
import { type Kysely, sql } from "kysely";
import { afterAll, expect } from "vitest";
import { projections } from "./all-projections.ts";

const tenantId = tenantIdOf("north");

let projector: Kysely<CheckpointTables>;
let live: Database<LiveDatabase>;

test.beforeAll(async ({ databases }) => {
  projector = connectAsProjector(databases, "live");
  live = connectAsReader<LiveDatabase>(databases, "live");
});
afterAll(async () => {
  await Promise.all([projector.destroy(), live.close()]);
});

const { version } = projections.directory;

const reach = (position: bigint, partition = partitionOf(tenantId)) =>
  sql`
  insert into carillon.checkpoints (projection, version, partition, position, created)
  values ('directory', ${version}, ${partition}, ${String(position)}, '2026-09-01T08:59:00Z')
  on conflict (projection, version, partition) do update set position = excluded.position`.execute(projector);

const read = (atLeast?: bigint, patienceMs?: number) =>
  live.read(
    tenantId,
    { projection: "directory", atLeast, ...(patienceMs === undefined ? {} : { patienceMs }) },
    (tx) => tx.selectFrom("directory.classes").selectAll().execute(),
  );

test("a projection that has seen nothing says so", async () => {
  expect(await read()).toEqual({ value: [], asOf: { position: null, at: null }, stale: false });
});

test("an answer says which event it is up to", async () => {
  await reach(9007199254740993n);
  const asOf = { position: "9007199254740993", at: "2026-09-01T08:59:00.000Z" };
  expect(await read()).toEqual({ value: [], asOf, stale: false });
  expect(await read(9007199254740993n)).toEqual({ value: [], asOf, stale: false });
});

test("a query waits for the position that it asks for", async () => {
  await reach(10n);
  const answer = read(20n, 60_000);
  await reach(15n);
  await reach(20n);
  expect(await answer).toMatchObject({ asOf: { position: "20" }, stale: false });
});

test("a query that waited in vain gets what there is, marked stale", async () => {
  await reach(20n);
  await reach(1_000n, (partitionOf(tenantId) + 1) % 8);
  expect(await read(21n, 50)).toMatchObject({ value: [], asOf: { position: "20" }, stale: true });
});

test("waiting keeps no connection from others", async () => {
  await reach(20n);
  const waiting = Promise.all(Array.from({ length: 20 }, () => read(30n, 60_000)));
  expect(await read()).toMatchObject({ stale: false });
  await reach(30n);
  for (const { stale } of await waiting) expect(stale).toBe(false);
});

test("a reader whose projection moves on meanwhile sees rows and position of one moment", async () => {
  await reach(40n);
  const { value, asOf } = await live.read(tenantId, { projection: "directory" }, async (tx) => {
    await reach(50n);
    const { rows } = await sql<{ position: string }>`
      select position from carillon.checkpoints where partition = ${partitionOf(tenantId)}`.execute(tx);
    return rows[0]?.position;
  });
  expect([value, asOf.position]).toEqual(["40", "40"]);
});

test("a database that is not there is unavailable", async () => {
  const nowhere = connectDatabase("postgres://nobody@127.0.0.1:1/none", { name: "test", maxConnections: 1 });
  const answer = nowhere.withTenant(tenantId, async () => {});
  await expect(answer).rejects.toThrow(CarillonError);
  await expect(answer).rejects.toMatchObject({ code: "unavailable" });
  await nowhere.close();
});
