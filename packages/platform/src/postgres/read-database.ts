import { setTimeout as delay } from "node:timers/promises";
import { CarillonError, type Instant, instantOf, type TenantId } from "@carillon/domain";
import { type Kysely, sql, type Transaction } from "kysely";
import { partitionOf } from "../event-bus/partition.ts";
import type { Position } from "../event-log/event-log.ts";
import { databaseFailure, openPostgres, type PostgresOptions } from "./connection-pool.ts";
import { assertOwnsAndBypassesNothing, scopeToTenant } from "./tenant-scope.ts";

/** What was read, and how fresh it is. */
export interface Fresh<Value> {
  readonly value: Value;
  readonly asOf: {
    /** Of the last event that is in it, in decimal digits; null if there is none yet. */
    readonly position: string | null;
    /** When the log wrote that event. */
    readonly at: Instant | null;
  };
  /** Whether it is older than what was asked for, or than what readers were shown before the projection was made anew. */
  readonly stale: boolean;
}

export interface ReadOptions {
  /** The projection that is read, `directory`. */
  readonly projection: string;
  /** The position that a command was answered with: wait until the projection has it. */
  readonly atLeast?: Position | undefined;
  /** How long to wait for `atLeast`. */
  readonly patienceMs?: number;
}

/** One database of read models, as readers see it. `Views` says what is in it. */
export interface Database<Views> {
  /**
   * Runs `work` in a transaction that sees one tenant's rows. Throws `CarillonError` `unavailable` if the database
   * cannot be reached.
   */
  withTenant<Value>(tenantId: TenantId, work: (tx: Transaction<Views>) => Promise<Value>): Promise<Value>;
  /**
   * Reads one tenant's rows of one projection, together with how far it is. With `atLeast` it waits for that
   * position, and answers what there is, marked stale, where it does not come in time.
   *
   * @example
   * ```ts
   * import type { LiveDatabase, TenantId } from "@carillon/domain";
   *
   * const titlesOf = async (live: Database<LiveDatabase>, tenantId: TenantId, atLeast: bigint) => {
   *   const { value, asOf } = await live.read(tenantId, { projection: "directory", atLeast }, (tx) =>
   *     tx.selectFrom("directory.classes").select(["code", "title"]).execute(),
   *   );
   *   return { titles: value.map(({ title }) => title), asOf };
   * };
   * ```
   */
  read<Value>(
    tenantId: TenantId,
    options: ReadOptions,
    work: (tx: Transaction<Views>) => Promise<Value>,
  ): Promise<Fresh<Value>>;
  /** Throws `UnsafeRoleError` if the role that we connect as could see past the policies. For the start of a worker. */
  assertOwnsAndBypassesNothing(): Promise<void>;
  /** Resolves if the database answers. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

const defaultPatienceMs = 2_000;
const firstPauseMs = 5;
const longestPauseMs = 50;

/** Connects to a database of read models. It need not be there yet: each call says if it cannot be reached. */
export function connectDatabase<Views>(url: string, options: PostgresOptions): Database<Views> {
  const db = openPostgres<Views>(url, options);

  const scoped =
    <Value>(tenantId: TenantId, work: (tx: Transaction<Views>) => Promise<Value>) =>
    async (tx: Transaction<Views>) => {
      await scopeToTenant(tx, tenantId);
      return work(tx);
    };

  /** Looks at the checkpoint again and again, without a transaction in between. */
  const waitFor = async (projection: string, partition: number, atLeast: Position, patienceMs: number) => {
    const deadline = Date.now() + patienceMs;
    for (let pause = firstPauseMs; ; pause = Math.min(2 * pause, longestPauseMs)) {
      const { position } = await checkpoint(db, projection, partition);
      if (reached(position, atLeast) || Date.now() >= deadline) return;
      await delay(pause);
    }
  };

  return {
    withTenant: (tenantId, work) => reaching(db.transaction().execute(scoped(tenantId, work))),
    read: (tenantId, { projection, atLeast, patienceMs = defaultPatienceMs }, work) =>
      reaching(
        (async () => {
          const partition = partitionOf(tenantId);
          if (atLeast !== undefined) await waitFor(projection, partition, atLeast, patienceMs);
          // One snapshot: the checkpoint says exactly what is in the rows.
          return db
            .transaction()
            .setIsolationLevel("repeatable read")
            .setAccessMode("read only")
            .execute(
              scoped(tenantId, async (tx) => {
                const { position, created, behind } = await checkpoint(tx, projection, partition);
                return {
                  value: await work(tx),
                  asOf: { position, at: created && instantOf(created) },
                  stale: behind || (atLeast !== undefined && !reached(position, atLeast)),
                };
              }),
            );
        })(),
      ),
    assertOwnsAndBypassesNothing: () => reaching(assertOwnsAndBypassesNothing(db)),
    async ping() {
      await reaching(sql`select 1`.execute(db));
    },
    close: () => db.destroy(),
  };
}

const reached = (position: string | null, atLeast: Position) =>
  position !== null && BigInt(position) >= atLeast;

async function checkpoint<Views>(db: Kysely<Views>, projection: string, partition: number) {
  const { rows } = await sql<{
    position: string | null;
    created: Date | null;
    /** Whether an earlier version had come further. */
    behind: boolean;
  }>`
    select
      now.position, now.created,
      coalesce(max(earlier.position) > coalesce(now.position, -1), false) as behind
    from carillon.active_versions active
    left join carillon.checkpoints now
      on (now.projection, now.version) = (active.projection, active.version) and now.partition = ${partition}
    left join carillon.checkpoints earlier
      on earlier.projection = active.projection and earlier.version < active.version
      and earlier.partition = ${partition}
    where active.projection = ${projection}
    group by now.position, now.created`.execute(db);
  return rows[0] ?? { position: null, created: null, behind: false };
}

async function reaching<Value>(call: Promise<Value>): Promise<Value> {
  try {
    return await call;
  } catch (error) {
    if (databaseFailure(error) !== "unreachable") throw error;
    throw new CarillonError("unavailable", "The database cannot be reached: try again.", { cause: error });
  }
}
