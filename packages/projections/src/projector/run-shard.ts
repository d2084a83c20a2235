import {
  type Bus,
  type CheckpointTables,
  type Delivery,
  type EventFeed,
  type EventLog,
  keepTrying,
  type Logger,
  openEventFeed,
  type Position,
  pause,
} from "@carillon/platform";
import type { Kysely } from "kysely";
import { readCheckpoint, type Shard } from "./apply-events.ts";
import { type Apply, fillGap } from "./fill-gap.ts";
import { gatherMs, holdMs } from "./pace.ts";
import { skippedPositions } from "./poison.ts";
import { readerOf } from "./reader-of.ts";
import type { ShardObserver } from "./shard-observer.ts";
import { applyOrStop, Stopped, untilPast } from "./stopped-shard.ts";

/** What a projector works with. */
export interface ProjectorDependencies {
  readonly bus: Bus;
  readonly eventLog: EventLog;
  /** The projections' database, as `carillon_projector`. */
  readonly db: Kysely<CheckpointTables>;
  readonly logger: Logger;
  readonly observer: ShardObserver;
}

const batchSize = 1_000;
const retryDelayMs = 250;

/**
 * Keeps one shard up to date until `signal` aborts. Whatever fails, it begins again at the checkpoint, for ever; an
 * event that cannot be applied stops the shard until somebody moves past it.
 */
export async function runShard(
  dependencies: ProjectorDependencies,
  shard: Shard,
  signal: AbortSignal,
): Promise<void> {
  const context = { projection: shard.projection.name, partition: shard.partition };
  const followUntilLost = async () => {
    try {
      await follow(dependencies, shard, signal);
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      await untilPast(dependencies, shard, error.position, signal);
    }
  };
  await keepTrying(followUntilLost, {
    signal,
    pauseMs: retryDelayMs,
    failed: (error) =>
      dependencies.logger.warn({ ...context, err: error }, "projection interrupted, trying again"),
  });
}

async function follow(dependencies: ProjectorDependencies, shard: Shard, signal: AbortSignal): Promise<void> {
  const { bus, eventLog, db, observer } = dependencies;
  const start = await readCheckpoint(db, shard);
  const skipped = await skippedPositions(db, shard);
  const apply: Apply = async (events) => {
    const applied = await applyOrStop(dependencies, shard, events, skipped);
    if (applied.count > 0) observer.applied(shard, applied);
    return applied;
  };
  const feed = await openEventFeed(bus, readerOf(shard), shard.partition);
  signal.addEventListener("abort", feed.close, { once: true });
  try {
    signal.throwIfAborted();
    const { unacknowledged } = feed;
    if (unacknowledged !== undefined && unacknowledged > (start ?? -1n)) {
      await fillGap(eventLog, shard, start, unacknowledged, apply);
    }
    for (let appliedMs = 0; ; ) {
      const deliveries = await nextToApply(feed, shard, holdMs(appliedMs));
      appliedMs = await applyDeliveries(eventLog, shard, deliveries, apply);
      const arrived = feed.arrived();
      if (arrived > 0 && arrived < batchSize) await pause(gatherMs(appliedMs), signal);
    }
  } finally {
    signal.removeEventListener("abort", feed.close);
    feed.close();
  }
}

/** What has arrived. Where the shard takes none of it, with what comes in so many milliseconds, until there is something. */
async function nextToApply(feed: EventFeed, { projection }: Shard, forMs: number): Promise<Delivery[]> {
  const deliveries = await feed.next(batchSize);
  const until = performance.now() + forMs;
  while (deliveries.length < batchSize && !deliveries.some(({ event }) => projection.takes.has(event.type))) {
    const patienceMs = until - performance.now();
    if (patienceMs <= 0) break;
    deliveries.push(...(await feed.next(batchSize - deliveries.length, patienceMs)));
  }
  return deliveries;
}

/** Applies what came, and what is missing before it, and acknowledges it. Gives how many milliseconds that took. */
async function applyDeliveries(
  eventLog: EventLog,
  shard: Shard,
  deliveries: readonly Delivery[],
  apply: Apply,
): Promise<number> {
  const events = deliveries.map(({ event }) => event);
  const begin = performance.now();
  const { gap, checkpoint } = await apply(events);
  if (gap) await fillGap(eventLog, shard, checkpoint, greatestPosition(events), apply);
  deliveries.at(-1)?.acknowledge();
  return performance.now() - begin;
}

/** A redelivered event may come last and be an old one. */
function greatestPosition(events: readonly { readonly position: Position }[]): Position {
  let greatest = 0n;
  for (const { position } of events) if (position > greatest) greatest = position;
  return greatest;
}
