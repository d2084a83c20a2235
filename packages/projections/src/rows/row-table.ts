import { instantOf } from "@carillon/domain";
import { CompiledQuery, type Transaction } from "kysely";

/** A value of a row as JSON can carry it; a time is an `Instant`. */
type Value = unknown;
export type Row = Readonly<Record<string, Value>>;

/** One table of a read model. Every table has `tenant_id` besides; it is set from the scope. */
export interface RowTable<TableRow extends Row = Row> {
  readonly name: string;
  /** The columns of the primary key after `tenant_id`. */
  readonly key: readonly (keyof TableRow & string)[];
  readonly loadStatement: string;
  readonly upsertStatement: string;
}

/**
 * Describes a table. `columns` gives the Postgres type of each column that events set; the first `keyLength` are
 * the key. A table with one row a tenant has no key; such a row can be put, but not read.
 *
 * @example
 * const people = rowTable("directory_v2.people", { user_id: "uuid", name: "text" }, 1);
 */
export function rowTable<const Columns extends Readonly<Record<string, string>>>(
  name: string,
  columns: Columns,
  keyLength: number,
): RowTable<{ readonly [Column in keyof Columns & string]: Value }> {
  const names = Object.keys(columns);
  const key = names.slice(0, keyLength);
  const typed = (some: readonly string[]) => some.map((column) => `${column} ${columns[column]}`).join(", ");
  const rest = names.slice(keyLength).map((column) => `${column} = excluded.${column}`);
  return {
    name,
    key,
    loadStatement: `
      select ${names.map((column) => `t.${column}`).join(", ")}
      from json_to_recordset($2::json) as wanted(${typed(key)})
      join ${name} t using (${key.join(", ")})
      where t.tenant_id = $1`,
    upsertStatement: `
      insert into ${name} (tenant_id, ${names.join(", ")})
      select $1, ${names.join(", ")} from json_to_recordset($2::json) as given(${typed(names)})
      on conflict (${["tenant_id", ...key].join(", ")}) do update set ${rest.join(", ")}`,
  };
}

/** The stored rows among those with these keys. One statement. */
export async function loadRows<TableRow extends Row>(
  tx: Transaction<unknown>,
  tenantId: string,
  table: RowTable<TableRow>,
  keys: readonly Row[],
): Promise<TableRow[]> {
  if (keys.length === 0) return [];
  const query = CompiledQuery.raw(table.loadStatement, [tenantId, JSON.stringify(keys)]);
  const { rows } = await tx.executeQuery<Row>(query);
  return rows.map(
    (row) =>
      Object.fromEntries(
        Object.entries(row).map(([column, value]) => [
          column,
          value instanceof Date ? instantOf(value) : value,
        ]),
      ) as TableRow,
  );
}

/** Writes rows, each in place of the one with its key. One statement. */
export async function upsertRows<TableRow extends Row>(
  tx: Transaction<unknown>,
  tenantId: string,
  table: RowTable<TableRow>,
  rows: readonly TableRow[],
): Promise<void> {
  if (rows.length === 0) return;
  await tx.executeQuery(CompiledQuery.raw(table.upsertStatement, [tenantId, JSON.stringify(rows)]));
}
