import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";

export interface PostgresOptions {
  /** What the server's monitoring shows. */
  readonly name: string;
  readonly maxConnections: number;
  /** How long one statement may take before the server ends it. */
  readonly statementTimeoutMs?: number;
}

const connectTimeoutMs = 5_000;

// A calendar day has no time zone: it stays text.
const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.DATE, (text) => text);

/**
 * Opens a pool of connections, each when it is first needed. A `date` is read as text (`2026-09-01`), a `bigint` as
 * decimal digits, a `timestamptz` as `Date`.
 */
export function openPostgres<Schema>(
  url: string,
  { name, maxConnections, statementTimeoutMs }: PostgresOptions,
): Kysely<Schema> {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: name,
    max: maxConnections,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: 0,
    keepAlive: true,
    types,
    ...(statementTimeoutMs === undefined ? {} : { statement_timeout: statementTimeoutMs }),
  });
  // A connection that breaks tells its user by a rejected call; without these, the event would end the process.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
}

/**
 * The kind of a failed database call: `unreachable`, where trying again helps; `rows`, where the rows that were
 * written are wrong (SQLSTATE classes 22 and 23); `other`. Undefined for an error that is not the database's.
 */
export function databaseFailure(error: unknown): "unreachable" | "rows" | "other" | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof pg.DatabaseError) {
    const state = error.code ?? "";
    if (/^(?:22|23)/.test(state)) return "rows";
    return /^(?:08|53|57)/.test(state) ? "unreachable" : "other";
  }
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const broken = /^E[A-Z_]+$/.test(code) || brokenConnection.test(error.message);
  return broken ? "unreachable" : undefined;
}

/** How `pg` says that a connection broke or did not come about; it gives these no code. */
const brokenConnection = /^(?:Connection terminated|timeout e|Client (?:has encountered|was closed))/;
