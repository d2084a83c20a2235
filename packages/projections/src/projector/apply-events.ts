import { type Instant, type TenantId, UnreadableEvent } from "@carillon/domain";
import {
  type ChainedEvent,
  type CheckpointTables,
  databaseFailure,
  type Position,
  type RecordedEvent,
  readStored,
  routeOf,
  scopeToTenant,
} from "@carillon/platform";
import { type Kysely, sql, type Transaction } from "kysely";
import type { Projection } from "../rows/projection.ts";

/** One projection's share of the work: it is in order and has one checkpoint. */
export interface Shard {
  readonly projection: Projection;
  readonly partition: number;
}

/** What became of some events. */
export interface Applied {
  /** How far the shard is now. */
  readonly checkpoint: Position | null;
  /** How many events it went forward. */
  readonly count: number;
  /** When the log wrote the last of them. */
  readonly created?: Instant;
  /** Whether events are missing between the checkpoint and the rest of what was given: read them from the log. */
  readonly gap: boolean;
}

/** Thrown where events cannot be applied through their own fault: trying again does not help. */
export class EventFault extends Error {
  constructor(cause: unknown) {
    super("an event cannot be applied", { cause });
    this.name = "EventFault";
  }
}

/** Makes the shard's checkpoint if there is none, and gives it. */
export async function readCheckpoint(
  db: Kysely<CheckpointTables>,
  { projection, partition }: Shard,
): Promise<Position | null> {
  const { name, version } = projection;
  await sql`
    insert into carillon.checkpoints (projection, version, partition) values (${name}, ${version}, ${partition})
    on conflict do nothing`.execute(db);
  const { rows } = await sql<{ position: string | null }>`
    select position from carillon.checkpoints
    where projection = ${name} and version = ${version} and partition = ${partition}`.execute(db);
  return positionOf(rows);
}

/**
 * Applies events to the rows and moves the checkpoint, in one transaction. Events that the checkpoint has already are
 * left out, and nothing after a missing one is applied: each event names the one before it, and the row of the
 * checkpoint stays locked meanwhile, so every event takes effect exactly once, also where another projector tries.
 *
 * @param skipped positions of events that somebody decided to move past
 * @throws {EventFault} where one of them cannot be applied; then none is
 */
export async function applyEvents(
  db: Kysely<CheckpointTables>,
  shard: Shard,
  events: readonly ChainedEvent[],
  skipped: ReadonlySet<Position>,
): Promise<Applied> {
  const { name, version } = shard.projection;
  return db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ position: string | null }>`
      select position from carillon.checkpoints
      where projection = ${name} and version = ${version} and partition = ${shard.partition}
      for update`.execute(tx);
    const checkpoint = positionOf(rows);
    const { next, gap } = following(checkpoint, events);
    const last = next.at(-1);
    if (!last) return { checkpoint, count: 0, gap };
    await applyToRows(tx as unknown as Transaction<unknown>, shard.projection, next, skipped);
    await sql`
      update carillon.checkpoints
      set position = ${String(last.position)}, created = ${last.created}, applied_at = clock_timestamp()
      where projection = ${name} and version = ${version} and partition = ${shard.partition}`.execute(tx);
    return { checkpoint: last.position, count: next.length, created: last.created, gap };
  });
}

async function applyToRows(
  tx: Transaction<unknown>,
  projection: Projection,
  events: readonly ChainedEvent[],
  skipped: ReadonlySet<Position>,
): Promise<void> {
  try {
    for (const [tenantId, own] of byTenant(projection, events, skipped)) {
      await scopeToTenant(tx, tenantId);
      await projection.apply(tx, tenantId, own);
    }
  } catch (error) {
    const failure = databaseFailure(error);
    throw failure === undefined || failure === "rows" ? new EventFault(error) : error;
  }
}

/** The events that follow the checkpoint without a gap. */
function following(checkpoint: Position | null, events: readonly ChainedEvent[]) {
  const next: ChainedEvent[] = [];
  let last = checkpoint;
  for (const event of events) {
    if (last !== null && event.position <= last) continue;
    if (event.previous !== last) return { next, gap: true };
    next.push(event);
    last = event.position;
  }
  return { next, gap: false };
}

function byTenant(
  { takes }: Projection,
  events: readonly ChainedEvent[],
  skipped: ReadonlySet<Position>,
): Map<TenantId, RecordedEvent[]> {
  const tenants = new Map<TenantId, RecordedEvent[]>();
  for (const event of events) {
    if (!takes.has(event.type) || skipped.has(event.position)) continue;
    const tenantId = routeOf(event)?.tenantId;
    const recorded = readStored(event);
    if (!tenantId || recorded.metadata.tenantId !== tenantId) {
      throw new UnreadableEvent(event.type, recorded.metadata.schema, "its tenant is not its stream's");
    }
    const own = tenants.get(tenantId);
    if (own) own.push(recorded);
    else tenants.set(tenantId, [recorded]);
  }
  return tenants;
}

function positionOf(rows: { position: string | null }[]): Position | null {
  const [row] = rows;
  if (!row) throw new Error("the checkpoint is gone");
  return row.position === null ? null : BigInt(row.position);
}
