import type { Transaction } from "kysely";
import { loadRows, type Row, type RowTable, upsertRows } from "./row-table.ts";

/** What one event does to one row. */
export interface RowChange<TableRow extends Row = Row> {
  readonly table: RowTable<TableRow>;
  readonly key: Row;
  /** False where the new row does not depend on the old one, which need not be read then. */
  readonly reads: boolean;
  /** Gives the row as it is afterwards: the same object if it stays, undefined if there is still none. */
  readonly after: (before: TableRow | undefined) => TableRow | undefined;
}

/** Puts a whole row, whatever was there. */
export const put = <TableRow extends Row>(table: RowTable<TableRow>, row: TableRow): RowChange => ({
  table: table as unknown as RowTable,
  key: row,
  reads: false,
  after: () => row,
});

/** Changes some columns of a row that is there; does nothing to one that is not. */
export const patch = <TableRow extends Row>(
  table: RowTable<TableRow>,
  key: Partial<TableRow>,
  changed: Partial<TableRow>,
): RowChange => revise(table, key, (before) => before && { ...before, ...changed });

/** Works a row out from what it was. */
export const revise = <TableRow extends Row>(
  table: RowTable<TableRow>,
  key: Partial<TableRow>,
  after: (before: TableRow | undefined) => TableRow | undefined,
): RowChange => ({
  table: table as unknown as RowTable,
  key,
  reads: true,
  after: after as RowChange["after"],
});

/** A row before and after a batch. `before` is not read for rows that were put. */
export interface RevisedRow<TableRow extends Row = Row> {
  readonly before: TableRow | undefined;
  readonly after: TableRow;
}

/** The rows of each table that a batch changed. */
export type RevisedRows = {
  of<TableRow extends Row>(table: RowTable<TableRow>): RevisedRow<TableRow>[];
};

interface TouchedRow {
  readonly key: Row;
  reads: boolean;
  before: Row | undefined;
  after: Row | undefined;
  readonly changes: RowChange["after"][];
}

/**
 * Makes the changes, in their order, with at most one read and one write a table however many they are.
 *
 * @param tx in the tenant's scope
 */
export async function changeRows(
  tx: Transaction<unknown>,
  tenantId: string,
  changes: Iterable<RowChange>,
): Promise<RevisedRows> {
  const touched = gather(changes);
  const revised = new Map<string, RevisedRow[]>();
  for (const [table, rows] of touched) {
    const wanted = [...rows.values()].filter((row) => row.reads);
    for (const stored of await loadRows(
      tx,
      tenantId,
      table,
      wanted.map((row) => keyOf(table, row.key)),
    )) {
      const row = rows.get(identityOf(table, stored));
      if (row) row.before = row.after = stored;
    }
    const differing: RevisedRow[] = [];
    for (const row of rows.values()) {
      for (const change of row.changes) row.after = change(row.after);
      if (row.after && row.after !== row.before) differing.push({ before: row.before, after: row.after });
    }
    await upsertRows(
      tx,
      tenantId,
      table,
      differing.map(({ after }) => after),
    );
    revised.set(table.name, differing);
  }
  return {
    of: <TableRow extends Row>(table: RowTable<TableRow>) =>
      (revised.get(table.name) ?? []) as unknown as RevisedRow<TableRow>[],
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

const identityOf = ({ key }: RowTable, row: Row) => key.map((column) => row[column]).join(" ");

const keyOf = ({ key }: RowTable, row: Row): Row =>
  Object.fromEntries(key.map((column) => [column, row[column]]));
