import type { Columns, TenantId } from "@carillon/domain";
import type { Transaction } from "kysely";
import { type Fields, loadRows, type RowOfTable, type RowTable, upsertRows } from "./row-table.ts";

/** What one event does to one row. */
export interface RowChange {
  readonly table: RowTable;
  readonly key: Fields;
  /** False where the new row does not depend on the old one, which need not be read then. */
  readonly reads: boolean;
  /** Gives the row as it is afterwards: the same object if it stays, undefined if there is still none. */
  readonly after: (before: Fields | undefined) => Fields | undefined;
}

/** Puts a whole row, whatever was there. Fields that are not the table's are left out. */
export function put<List extends Columns>(table: RowTable<List>, fields: RowOfTable<List>): RowChange {
  const row: Record<string, unknown> = {};
  for (const field in table.columns) row[field] = fields[field];
  return { table: table as unknown as RowTable, key: row, reads: false, after: () => row };
}

/** Changes some fields of a row that is there; does nothing to one that is not. */
export const patch = <List extends Columns>(
  table: RowTable<List>,
  key: Partial<RowOfTable<List>>,
  changed: Partial<RowOfTable<List>>,
): RowChange => revise(table, key, (before) => before && { ...before, ...changed });

/** Works a row out from what it was. */
export const revise = <List extends Columns>(
  table: RowTable<List>,
  key: Partial<RowOfTable<List>>,
  after: (before: RowOfTable<List> | undefined) => RowOfTable<List> | undefined,
): RowChange => ({
  table: table as unknown as RowTable,
  key,
  reads: true,
  after: after as RowChange["after"],
});

/** A row before and after a batch. `before` is not read for rows that were put. */
export interface RevisedRow<Row = Fields> {
  readonly before: Row | undefined;
  readonly after: Row;
}

/** The rows of each table that a batch changed. */
export interface RevisedRows {
  of<List extends Columns>(table: RowTable<List>): RevisedRow<RowOfTable<List>>[];
}

interface TouchedRow {
  readonly key: Fields;
  reads: boolean;
  before: Fields | undefined;
  after: Fields | undefined;
  readonly changes: RowChange["after"][];
}

/**
 * Makes the changes, in their order, with at most one read and one write a table however many they are.
 *
 * @param tx in the tenant's scope
 */
export async function changeRows(
  tx: Transaction<unknown>,
  tenantId: TenantId,
  changes: Iterable<RowChange>,
): Promise<RevisedRows> {
  const revised = new Map<string, RevisedRow[]>();
  for (const [table, touched] of gather(changes)) {
    await loadTouched(tx, tenantId, table, touched);
    const differing = [...touched.values()].flatMap(revisedRow);
    await upsertRows(
      tx,
      tenantId,
      table,
      differing.map(({ after }) => after),
    );
    revised.set(table.name, differing);
  }
  return {
    of: <List extends Columns>(table: RowTable<List>) =>
      (revised.get(table.name) ?? []) as RevisedRow<RowOfTable<List>>[],
  };
}

function gather(changes: Iterable<RowChange>): Map<RowTable, Map<string, TouchedRow>> {
  const tables = new Map<RowTable, Map<string, TouchedRow>>();
  for (const { table, key, reads, after } of changes) {
    const rows = tables.get(table) ?? new Map<string, TouchedRow>();
    tables.set(table, rows);
    const identity = identityOf(table, key);
    const row = rows.get(identity);
    if (row) row.changes.push(after);
    else rows.set(identity, { key, reads, before: undefined, after: undefined, changes: [after] });
  }
  return tables;
}

/** Reads those rows whose first change depends on what they were. */
async function loadTouched(
  tx: Transaction<unknown>,
  tenantId: TenantId,
  table: RowTable,
  touched: ReadonlyMap<string, TouchedRow>,
): Promise<void> {
  const wanted = [...touched.values()].filter((row) => row.reads).map((row) => keyOf(table, row.key));
  for (const stored of await loadRows(tx, tenantId, table, wanted)) {
    const row = touched.get(identityOf(table, stored));
    if (row) row.before = row.after = stored;
  }
}

/** Makes a row's changes; nothing where they leave it as it was. */
function revisedRow(row: TouchedRow): RevisedRow[] {
  for (const change of row.changes) row.after = change(row.after);
  return row.after && row.after !== row.before ? [{ before: row.before, after: row.after }] : [];
}

const identityOf = ({ key }: RowTable, row: Fields) => key.map((field) => row[field]).join(" ");

const keyOf = ({ key }: RowTable, row: Fields): Fields =>
  Object.fromEntries(key.map((field) => [field, row[field]]));
