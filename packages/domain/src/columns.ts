import { type Instant, instantOf } from "./time.ts";

/** The Postgres types that read models use. */
type SqlType =
  | "uuid"
  | "text"
  | "text[]"
  | "boolean"
  | "integer"
  | "bigint"
  | "double precision"
  | "numeric"
  | "date"
  | "timestamptz"
  | "jsonb";

declare const types: unique symbol;

/** One column of a read model. `Value` is what events set and answers give, `Stored` what the database's client gives. */
export interface Column<Value = unknown, Stored = Value> {
  readonly sqlType: SqlType;
  readonly nullable: boolean;
  /** Known to the compiler alone. */
  readonly [types]?: { readonly value: Value; readonly stored: Stored };
}

/** The columns of a read model's table or view, each under the name of its field: `handedInAt` is `handed_in_at`. */
export type Columns = Readonly<Record<string, Column>>;

const notNull =
  <Bound>(sqlType: SqlType) =>
  <Value extends Bound = Bound>(): Column<Value> => ({ sqlType, nullable: false });

/**
 * Makes columns.
 *
 * @example
 * ```ts
 * const lessonColumns = { room: column.text(), endedAt: column.orNull(column.instant()) };
 * ```
 */
export const column = {
  uuid: notNull<string>("uuid"),
  text: notNull<string>("text"),
  texts: <Value extends string>(): Column<Value[]> => ({ sqlType: "text[]", nullable: false }),
  boolean: notNull<boolean>("boolean"),
  integer: notNull<number>("integer"),
  /** A whole number in decimal digits. */
  digits: notNull<string>("bigint"),
  /** A number that may have decimals, or be too large for `integer`. */
  number: notNull<number>("double precision"),
  /** A number in decimal digits, exact. */
  decimal: notNull<string>("numeric"),
  /** A calendar day, `2026-09-01`. */
  day: notNull<string>("date"),
  instant: (): Column<Instant, Date> => ({ sqlType: "timestamptz", nullable: false }),
  json: notNull<unknown>("jsonb"),
  orNull: <Value, Stored>(of: Column<Value, Stored>): Column<Value | null, Stored | null> => ({
    sqlType: of.sqlType,
    nullable: true,
  }),
};

/** What a field's column is called. */
export type ColumnName<Field extends string> = Field extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${ColumnName<Rest>}`
  : Field;

/** What a field's column is called: `handedInAt` is `handed_in_at`. */
export const columnName = <Field extends string>(field: Field) =>
  field.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`) as ColumnName<Field>;

type ValueOf<Of extends Column> = Of extends Column<infer Value, unknown> ? Value : never;
type StoredOf<Of extends Column> = Of extends Column<unknown, infer Stored> ? Stored : never;

/** The fields of one row: what events set, and what answers give. */
export type FieldsOf<List extends Columns> = { [Field in keyof List & string]: ValueOf<List[Field]> };

/** One row as the database's client gives it. */
export type RowOf<List extends Columns> = {
  [Field in keyof List & string as ColumnName<Field>]: StoredOf<List[Field]>;
};

/**
 * Makes a function that gives the fields of a row, those in `columns` and no others; times as `Instant`s.
 *
 * @example
 * ```ts
 * const fieldsOfLesson = fieldReader({ room: column.text(), endedAt: column.orNull(column.instant()) });
 * fieldsOfLesson({ room: "B 12", ended_at: null }); // { room: "B 12", endedAt: null }
 * ```
 */
export function fieldReader<List extends Columns>(columns: List): (row: RowOf<List>) => FieldsOf<List> {
  const names = Object.keys(columns).map((field) => [field, columnName(field)] as const);
  return (row) => {
    const stored = row as Readonly<Record<string, unknown>>;
    const fields: Record<string, unknown> = {};
    for (const [field, name] of names) {
      const value = stored[name];
      fields[field] = value instanceof Date ? instantOf(value) : value;
    }
    return fields as FieldsOf<List>;
  };
}
