import { type Kysely, sql } from "kysely";

/** Roles that the migrations make; both own nothing and bypass nothing. */
export const projectorRole = "carillon_projector";
export const readerRole = "carillon_reader";

/**
 * Makes a schema for the tables of one version of a projection (`directory_v1`), usable by the projector and, for
 * the views that are read through it, by readers.
 */
export async function createVersionSchema(db: Kysely<unknown>, schema: string): Promise<void> {
  await sql`create schema ${sql.id(schema)}`.execute(db);
  await sql`grant usage on schema ${sql.id(schema)} to ${sql.id(projectorRole)}, ${sql.id(readerRole)}`.execute(
    db,
  );
}

/**
 * Makes a table with rows of tenants. `definition` is what follows the column `tenant_id`. The policy shows and
 * takes the rows of the tenant in scope only, also where the table's owner asks; without a scope it is an error.
 *
 * The scalar sub-query makes Postgres ask for the tenant once a statement and not once a row.
 */
export async function createTenantTable(
  db: Kysely<unknown>,
  schema: string,
  name: string,
  definition: string,
): Promise<void> {
  const table = sql.id(schema, name);
  await sql`create table ${table} (tenant_id uuid not null, ${sql.raw(definition)})`.execute(db);
  await sql`alter table ${table} enable row level security, force row level security`.execute(db);
  await sql`
    create policy one_tenant on ${table}
      using (tenant_id = (select carillon.current_tenant()))
      with check (tenant_id = (select carillon.current_tenant()))`.execute(db);
  await sql`grant select, insert, update, delete on ${table} to ${sql.id(projectorRole)}`.execute(db);
  await sql`grant select on ${table} to ${sql.id(readerRole)}`.execute(db);
}

/** Makes an index that is searched within one tenant. `columns` follow `tenant_id`; `where` says which rows it is of. */
export async function createTenantIndex(
  db: Kysely<unknown>,
  schema: string,
  table: string,
  columns: string,
  where?: string,
): Promise<void> {
  const rows = where === undefined ? sql`` : sql`where ${sql.raw(where)}`;
  await sql`create index on ${sql.id(schema, table)} (tenant_id, ${sql.raw(columns)}) ${rows}`.execute(db);
}

/**
 * Shows `query` to readers as `<projection>.<name>`, in place of what was shown there. The view runs with the rights
 * of who asks, so the tables' policies hold.
 */
export async function publishView(
  db: Kysely<unknown>,
  projection: string,
  name: string,
  query: string,
): Promise<void> {
  await sql`create schema if not exists ${sql.id(projection)}`.execute(db);
  await sql`grant usage on schema ${sql.id(projection)} to ${sql.id(readerRole)}`.execute(db);
  const view = sql.id(projection, name);
  // Not "or replace": that would keep the old columns, in their old order.
  await sql`drop view if exists ${view}`.execute(db);
  await sql`create view ${view} with (security_invoker = true) as ${sql.raw(query)}`.execute(db);
  await sql`grant select on ${view} to ${sql.id(readerRole)}`.execute(db);
}

/**
 * Removes the tables of a version that no view shows any more. Its checkpoints stay: until the new version has come as
 * far, readers are told that it is stale.
 */
export async function dropVersionSchema(db: Kysely<unknown>, schema: string): Promise<void> {
  await sql`drop schema ${sql.id(schema)} cascade`.execute(db);
}

/** Makes `version` the one whose checkpoints readers are told. */
export async function activate(db: Kysely<unknown>, projection: string, version: number): Promise<void> {
  await sql`
    insert into carillon.active_versions (projection, version) values (${projection}, ${version})
    on conflict (projection) do update set version = excluded.version`.execute(db);
}
