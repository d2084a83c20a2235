import { UnreadableEvent } from "@carillon/domain";
import {
  type ChainedEvent,
  type CheckpointTables,
  databaseFailure,
  openPostgres,
  type Position,
} from "@carillon/platform";
import { type Kysely, sql } from "kysely";
import type { Shard } from "./apply-events.ts";

/** Writes down at which event the shard stopped, and gives the words. */
export async function recordPoison(
  db: Kysely<CheckpointTables>,
  { projection, partition }: Shard,
  event: ChainedEvent,
  error: unknown,
): Promise<string> {
  const description = describe(error);
  await sql`
    insert into carillon.poison
      (projection, version, partition, position, stream, revision, event_id, event_type, error)
    values (
      ${projection.name}, ${projection.version}, ${partition}, ${String(event.position)},
      ${event.stream}, ${event.revision}, ${event.id}, ${event.type}, ${description}
    )
    on conflict (projection, version, partition, position) do update set error = excluded.error`.execute(db);
  return description;
}

/** Whether the shard no longer has to stop at this event. */
export async function isPast(
  db: Kysely<CheckpointTables>,
  { projection, partition }: Shard,
  position: Position,
): Promise<boolean> {
  const { rows } = await sql`
    select from carillon.poison
    where projection = ${projection.name} and version = ${projection.version} and partition = ${partition}
      and position = ${String(position)} and skipped_at is null`.execute(db);
  return rows.length === 0;
}

/** The events that somebody decided to move past. */
export async function skippedPositions(
  db: Kysely<CheckpointTables>,
  { projection, partition }: Shard,
): Promise<Set<Position>> {
  const { rows } = await sql<{ position: string }>`
    select position from carillon.poison
    where projection = ${projection.name} and version = ${projection.version} and partition = ${partition}
      and skipped_at is not null`.execute(db);
  return new Set(rows.map(({ position }) => BigInt(position)));
}

export interface Skip {
  readonly projection: string;
  readonly partition: number;
  readonly position: Position;
  /** Who decided it: a person's id or name. */
  readonly by: string;
}

/**
 * Lets a stopped projection move past the event that stopped it; the projector does so within a second. Who and when
 * is kept. Throws if it has not stopped there.
 *
 * @param url an address of the projection's database, for the role `carillon_projector`
 */
export async function skipPoison(url: string, { projection, partition, position, by }: Skip): Promise<void> {
  const db = openPostgres<CheckpointTables>(url, { name: "carillon projections skip", maxConnections: 1 });
  try {
    const { numAffectedRows } = await sql`
      update carillon.poison p
      set skipped_by = ${by}, skipped_at = now()
      from carillon.checkpoints c
      where (c.projection, c.version, c.partition) = (p.projection, p.version, p.partition)
        and p.projection = ${projection} and p.partition = ${partition} and p.position = ${String(position)}
        and p.skipped_at is null and p.position > coalesce(c.position, -1)`.execute(db);
    if (numAffectedRows) return;
    throw new Error(
      `projection ${projection} has not stopped at position ${position} of partition ${partition}`,
    );
  } finally {
    await db.destroy();
  }
}

/** What went wrong, without values of the event: Postgres' own messages can quote them. */
function describe(error: unknown): string {
  if (error instanceof UnreadableEvent) return error.message;
  if (databaseFailure(error)) {
    const { code, schema, table, column, constraint } = error as unknown as Record<
      string,
      string | undefined
    >;
    const subject = [schema, table, column ?? constraint].filter(Boolean).join(".");
    return `the database refused the row: SQLSTATE ${code}${subject && ` at ${subject}`}`;
  }
  return error instanceof Error ? error.name : "unknown error";
}
