import { type Columns, columnName, type FieldsOf, instantOf, type TenantId } from "@carillon/domain";
import { CompiledQuery, type Transaction } from "kysely";

/** Some fields of a row as JSON can carry them; a time is an `Instant`. */
export type Fields = Readonly<Record<string, unknown>>;

/** One table of a read model. Every table has `tenant_id` besides; it is set from the scope. */
export interface RowTable<List extends Columns = Columns> {
  /** With its schema: `directory_v2.people`. */
  readonly name: string;
  /** The columns that events set. */
  readonly columns: List;
  /** The fields of the primary key after `tenant_id`. */
  readonly key: readonly (keyof List & string)[];
  readonly loadStatement: string;
  readonly upsertStatement: string;
}

/**
 * Describes a table by the columns that events set and the fields of its key. A table with one row a tenant has no
 * key; such a row can be put, but not read.
 *
 * @example
 * ```ts
 * import { personColumns } from "@carillon/domain";
 *
 * const people = rowTable("directory_v2.people", personColumns, ["userId"]);
 * ```
 */
export function rowTable<List extends Columns>(
  name: string,
  columns: List,
  key: readonly (keyof List & string)[],
): RowTable<List> {
  const fields = Object.keys(columns);
  const names = fields.map(columnName);
  const keyNames: readonly string[] = key.map(columnName);
  const typed = (some: readonly string[]) =>
    some.map((field) => `"${field}" ${columns[field]?.sqlType}`).join(", ");
  const quoted = fields.map((field) => `"${field}"`).join(", ");
  const rest = names.filter((column) => !keyNames.includes(column));
  return {
    name,
    columns,
    key,
    loadStatement: `
      select ${fields.map((field) => `t.${columnName(field)} as "${field}"`).join(", ")}
      from json_to_recordset($2::json) as wanted(${typed(key)})
      join ${name} t on ${key.map((field) => `t.${columnName(field)} = wanted."${field}"`).join(" and ")}
      where t.tenant_id = $1`,
    upsertStatement: `
      insert into ${name} (tenant_id, ${names.join(", ")})
      select $1, ${quoted} from json_to_recordset($2::json) as given(${typed(fields)})
      on conflict (${["tenant_id", ...keyNames].join(", ")})
      do update set ${rest.map((column) => `${column} = excluded.${column}`).join(", ")}`,
  };
}

/** The stored rows among those with these keys. One statement. */
export async function loadRows(
  tx: Transaction<unknown>,
  tenantId: TenantId,
  table: RowTable,
  keys: readonly Fields[],
): Promise<Fields[]> {
  if (keys.length === 0) return [];
  const query = CompiledQuery.raw(table.loadStatement, [tenantId, JSON.stringify(keys)]);
  const { rows } = await tx.executeQuery<Fields>(query);
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([field, value]) => [field, value instanceof Date ? instantOf(value) : value]),
    ),
  );
}

/** Writes rows, each in place of the one with its key. One statement. */
export async function upsertRows(
  tx: Transaction<unknown>,
  tenantId: TenantId,
  table: RowTable,
  rows: readonly Fields[],
): Promise<void> {
  if (rows.length === 0) return;
  await tx.executeQuery(CompiledQuery.raw(table.upsertStatement, [tenantId, JSON.stringify(rows)]));
}

/** The fields of one row of a table. */
export type RowOfTable<List extends Columns> = Readonly<FieldsOf<List>>;
