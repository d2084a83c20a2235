import { randomUUID } from "node:crypto";
import { type LiveDatabase, type TenantId, tenantIdOf } from "@carillon/domain";
import {
  assertOwnsAndBypassesNothing,
  type CheckpointTables,
  type Database,
  openPostgres,
  scopeToTenant,
  UnsafeRoleError,
} from "@carillon/platform";
import { connectAsProjector, connectAsReader, type TestPostgres, test } from "@carillon/testkit";
import { type Kysely, sql } from "kysely";
import { afterAll, expect } from "vitest";

const north = tenantIdOf("north");
const south = tenantIdOf("south");

let postgres: TestPostgres;
let projector: Kysely<CheckpointTables>;
let live: Database<LiveDatabase>;

test.beforeAll(async ({ postgres: own }) => {
  postgres = own;
  projector = connectAsProjector(postgres, "live");
  live = connectAsReader<LiveDatabase>(postgres, "live");
  await inScope(north, insertPerson(north, "ada"));
});
afterAll(async () => {
  await Promise.all([projector.destroy(), live.close()]);
});

const insertPerson = (tenantId: TenantId, username: string) => sql`
  insert into directory_v2.people (tenant_id, user_id, username, name, roles)
  values (${tenantId}, ${randomUUID()}, ${username}, 'Somebody', '{student}')`;

const inScope = (tenantId: TenantId, statement: ReturnType<typeof insertPerson>) =>
  projector.transaction().execute(async (tx) => {
    await scopeToTenant(tx, tenantId);
    return statement.execute(tx);
  });

const usernames = (tenantId: TenantId) =>
  live.withTenant(tenantId, async (tx) =>
    (await tx.selectFrom("directory.people").select("username").execute()).map(({ username }) => username),
  );

const everybody = sql`select * from directory_v2.people`;

test("a tenant sees its own rows only", async () => {
  expect(await usernames(north)).toEqual(["ada"]);
  expect(await usernames(south)).toEqual([]);
});

test("rows of another tenant can be neither written, changed nor removed", async () => {
  await expect(inScope(south, insertPerson(north, "mallory"))).rejects.toThrow("row-level security");
  const changed = await inScope(south, sql`update directory_v2.people set name = 'Mallory'`);
  const removed = await inScope(south, sql`delete from directory_v2.people`);
  expect([changed.numAffectedRows, removed.numAffectedRows]).toEqual([0n, 0n]);
  await expect(inScope(north, sql`update directory_v2.people set tenant_id = ${south}`)).rejects.toThrow(
    "row-level security",
  );
});

test("a connection that never had a scope gets an error and not empty rows", async () => {
  const fresh = connectAsProjector(postgres, "live");
  await expect(everybody.execute(fresh)).rejects.toMatchObject({
    code: "TN001",
    message: "no tenant is in scope",
  });
  await fresh.destroy();
});

test("a connection whose scope has ended gets an error and not empty rows", async () => {
  const one = openPostgres<CheckpointTables>(postgres.urlAs("carillon_projector", "projector", "live"), {
    name: "test",
    maxConnections: 1,
  });
  await one.transaction().execute((tx) => scopeToTenant(tx, north));
  const { rows } = await sql`select current_setting('carillon.tenant_id', true) as scope`.execute(one);
  expect(rows).toEqual([{ scope: "" }]);
  await expect(everybody.execute(one)).rejects.toMatchObject({ code: "TN001" });
  await one.destroy();
});

test("the scope of one transaction is not the next one's", async () => {
  await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      const tenantId = index % 2 === 0 ? north : south;
      expect(await usernames(tenantId)).toEqual(tenantId === north ? ["ada"] : []);
    }),
  );
});

test("a reader cannot write", async () => {
  const statement = insertPerson(north, "eve");
  await expect(live.withTenant(north, (tx) => statement.execute(tx))).rejects.toThrow("permission denied");
});

test("the reader's and the projector's roles own nothing and bypass nothing", async () => {
  await live.assertOwnsAndBypassesNothing();
  await assertOwnsAndBypassesNothing(projector);
});

const asSuperuser = (statement: string) => withSuperuser((db) => sql.raw(statement).execute(db));

async function withSuperuser<Value>(work: (db: Kysely<unknown>) => Promise<Value>): Promise<Value> {
  const db = openPostgres<unknown>(postgres.urlAs("postgres", "superuser", "live"), {
    name: "test",
    maxConnections: 1,
  });
  try {
    return await work(db);
  } finally {
    await db.destroy();
  }
}

test.each([
  ["a superuser", "superuser", "", "bypasses row-level security"],
  ["a role that bypasses row-level security", "bypassrls", "", "bypasses row-level security"],
  ["a member of the owner", "", "grant carillon_owner to suspect", "owns"],
  ["the owner of a schema", "", "create schema theirs authorization suspect", "owns"],
  [
    "the owner of a table",
    "",
    "create table public.theirs (); alter table public.theirs owner to suspect",
    "owns",
  ],
])("%s is refused", async (_, attribute, statement, reason) => {
  await asSuperuser(`create role suspect login password 'suspect' ${attribute}`);
  const db = openPostgres<unknown>(postgres.urlAs("suspect", "suspect", "live"), {
    name: "test",
    maxConnections: 1,
  });
  try {
    if (statement) await asSuperuser(statement);
    const refused = assertOwnsAndBypassesNothing(db);
    await expect(refused).rejects.toThrow(UnsafeRoleError);
    await expect(refused).rejects.toThrow(reason);
  } finally {
    await db.destroy();
    await asSuperuser("drop owned by suspect cascade");
    await asSuperuser("drop role suspect");
  }
});

test("the owner of the databases is refused", async () => {
  const owner = openPostgres<unknown>(postgres.ownerUrls.live, { name: "test", maxConnections: 1 });
  await expect(assertOwnsAndBypassesNothing(owner)).rejects.toThrow("carillon_owner owns");
  await owner.destroy();
});
