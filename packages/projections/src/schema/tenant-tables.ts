import { type Column, type Columns, columnName } from "@carillon/domain";
import { type Kysely, sql } from "kysely";
import type { RowTable } from "../rows/row-table.ts";

/** Roles that the migrations make; both own nothing and bypass nothing. */
export const projectorRole = "carillon_projector";
export const readerRole = "carillon_reader";

/**
 * Makes a schema for the tables of one version of a projection (`directory_v2`), usable by the projector and, for
 * the views that are read through it, by readers.
 */
export async function createVersionSchema(db: Kysely<unknown>, schema: string): Promise<void> {
  await sql`create schema ${sql.id(schema)}`.execute(db);
  await sql`grant usage on schema ${sql.id(schema)} to ${sql.id(projectorRole)}, ${sql.id(readerRole)}`.execute(
    db,
  );
}

/** What a table has beside its columns and its primary key. */
interface TableOptions<List extends Columns> {
  /** Columns that begin at 0 and are counted up. */
  readonly counters?: Columns;
  /** A field that no two rows of one tenant share. */
  readonly unique?: keyof List & string;
}

/**
 * Makes a table with rows of tenants. The policy shows and takes the rows of the tenant in scope only, also where the
 * table's owner asks; without a scope it is an error.
 *
 * The scalar sub-query makes Postgres ask for the tenant once a statement and not once a row.
 */
export async function createTenantTable<List extends Columns>(
  db: Kysely<unknown>,
  { name, columns, key }: RowTable<List>,
  { counters = {}, unique }: TableOptions<List> = {},
): Promise<void> {
  const table = sql.raw(name);
  const definition = [
    "tenant_id uuid not null",
    ...Object.entries(columns).map(([field, column]) => definitionOf(field, column)),
    ...Object.entries(counters).map(([field, column]) => `${definitionOf(field, column)} default 0`),
    `primary key (${["tenant_id", ...key.map(columnName)].join(", ")})`,
    ...(unique === undefined ? [] : [`unique (tenant_id, ${columnName(unique)})`]),
  ];
  await sql`create table ${table} (
  ${sql.raw(definition.join(",\n  "))}
)`.execute(db);
  await sql`alter table ${table} enable row level security, force row level security`.execute(db);
  await sql`
    create policy one_tenant on ${table}
      using (tenant_id = (select carillon.current_tenant()))
      with check (tenant_id = (select carillon.current_tenant()))`.execute(db);
  await sql`grant select, insert, update, delete on ${table} to ${sql.id(projectorRole)}`.execute(db);
  await sql`grant select on ${table} to ${sql.id(readerRole)}`.execute(db);
}

const definitionOf = (field: string, { sqlType, nullable }: Column) =>
  `${columnName(field)} ${sqlType}${nullable ? "" : " not null"}`;

/** Makes an index that is searched within one tenant. `where` says which rows it is of. */
export async function createTenantIndex<List extends Columns>(
  db: Kysely<unknown>,
  { name }: RowTable<List>,
  fields: readonly (keyof List & string)[],
  where?: string,
): Promise<void> {
  const columns = sql.raw(["tenant_id", ...fields.map(columnName)].join(", "));
  const rows = where === undefined ? sql`` : sql` where ${sql.raw(where)}`;
  await sql`create index on ${sql.raw(name)} (${columns})${rows}`.execute(db);
}

/** Where a view's columns come from. */
interface ViewSource<List extends Columns> {
  /** What follows `from`. The table that has the columns is called `t` in it. */
  readonly from: string;
  /** How the columns are worked out that the table does not have. */
  readonly computed?: { readonly [Field in keyof List]?: string };
}

/**
 * Shows rows to readers as the view `<projection>.<name>`, in place of what was shown there. The view runs with the
 * rights of the role that asks, so the tables' policies hold.
 */
export async function publishView<List extends Columns>(
  db: Kysely<unknown>,
  name: string,
  columns: List,
  { from, computed = {} }: ViewSource<List>,
): Promise<void> {
  const [projection = ""] = name.split(".");
  await sql`create schema if not exists ${sql.id(projection)}`.execute(db);
  await sql`grant usage on schema ${sql.id(projection)} to ${sql.id(readerRole)}`.execute(db);
  const view = sql.raw(name);
  // Not "or replace": that would keep the old columns, in their old order.
  await sql`drop view if exists ${view}`.execute(db);
  const selected = Object.keys(columns).map((field) => {
    const expression = computed[field];
    return expression === undefined ? `t.${columnName(field)}` : `${expression} as "${columnName(field)}"`;
  });
  const query = `select\n  ${["t.tenant_id", ...selected].join(",\n  ")}\nfrom ${from}`;
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
