import { setTimeout as delay } from "node:timers/promises";
import {
  type Bus,
  type ChainedEvent,
  type CheckpointTables,
  type Delivery,
  type EventFeed,
  type EventLog,
  type Logger,
  openEventFeed,
  type Position,
  routeOf,
} from "@carillon/platform";
import type { Kysely } from "kysely";
import { type Applied, applyEvents, EventFault, readCheckpoint, type Shard } from "./apply-events.ts";
import { isPast, recordPoison, skippedPositions } from "./poison.ts";

/** What a projector works with. */
export interface ProjectorDependencies {
  readonly bus: Bus;
  readonly eventLog: EventLog;
  /** The projections' database, as `carillon_projector`. */
  readonly db: Kysely<CheckpointTables>;
  readonly logger: Logger;
  readonly observer: ShardObserver;
}

/** Is told how shards get on. */
export interface ShardObserver {
  applied(shard: Shard, applied: Applied): void;
  stopped(shard: Shard, isStopped: boolean): void;
}

type Apply = (events: readonly ChainedEvent[]) => Promise<Applied>;

const batchSize = 1_000;
const retryDelayMs = 250;

/**
 * Where events come faster than they are applied, they are gathered: a transaction for each would be most of the work.
 * What changes no row waits for what does: logins alone would be a transaction each in every shard. Both last the longer
 * the longer a batch takes to apply, so that little is left of it where others want the processors.
 */
const gatherMs = (appliedMs: number) => pauseAfter(appliedMs, 100);
const holdMs = (appliedMs: number) => pauseAfter(appliedMs, 250);
const longestPauseMs = 1_000;
const pauseAfter = (appliedMs: number, leastMs: number) =>
  Math.min(Math.max(4 * appliedMs, leastMs), longestPauseMs);

const skipCheckMs = 500;

/** What the bus remembers the shard's place under. */
export const readerOf = ({ projection: { name, version }, partition }: Shard) =>
  `${name}_v${version}_p${partition}`;

/**
 * Keeps one shard up to date until `signal` aborts. Whatever fails, it begins again at the checkpoint, for ever; an
 * event that cannot be applied stops the shard until somebody moves past it.
 */
export async function runShard(
  parts: ProjectorDependencies,
  shard: Shard,
  signal: AbortSignal,
): Promise<void> {
  const about = { projection: shard.projection.name, partition: shard.partition };
  while (!signal.aborted) {
    try {
      await follow(parts, shard, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Stopped) await untilPast(parts, shard, error.position, signal);
      else {
        parts.logger.warn({ ...about, err: error }, "projection interrupted, trying again");
        await pause(retryDelayMs, signal);
      }
    }
  }
}

/** The shard stopped at the event of this position. */
class Stopped extends Error {
  readonly position: Position;

  constructor(position: Position, options: ErrorOptions) {
    super(`stopped at position ${position}`, options);
    this.position = position;
  }
}

async function follow(parts: ProjectorDependencies, shard: Shard, signal: AbortSignal): Promise<void> {
  const start = await readCheckpoint(parts.db, shard);
  const skipped = await skippedPositions(parts.db, shard);
  const apply: Apply = async (events) => {
    const applied = await applyOrStop(parts, shard, events, skipped);
    if (applied.count > 0) parts.observer.applied(shard, applied);
    return applied;
  };
  const feed = await openEventFeed(parts.bus, readerOf(shard), shard.partition);
  signal.addEventListener("abort", feed.close, { once: true });
  try {
    signal.throwIfAborted();
    const { unacknowledged } = feed;
    if (unacknowledged !== undefined && unacknowledged > (start ?? -1n)) {
      await fillGap(parts.eventLog, shard, start, unacknowledged, apply);
    }
    let appliedMs = 0;
    for (;;) {
      const deliveries = await nextToApply(feed, shard, holdMs(appliedMs));
      const events = deliveries.map(({ event }) => event);
      const begin = performance.now();
      const { gap, checkpoint } = await apply(events);
      if (gap) await fillGap(parts.eventLog, shard, checkpoint, greatestPosition(events), apply);
      deliveries.at(-1)?.acknowledge();
      appliedMs = performance.now() - begin;
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

/** Applies what the bus does not have, or not in time: the shard's events after `after` as far as `until`. */
async function fillGap(
  eventLog: EventLog,
  shard: Shard,
  after: Position | null,
  until: Position,
  apply: Apply,
): Promise<void> {
  let previous = after;
  let batch: ChainedEvent[] = [];
  const flush = async () => {
    const { gap } = await apply(batch);
    if (gap) throw new Error("somebody else moved the checkpoint");
    batch = [];
  };
  for await (const event of eventLog.readAll(after ?? undefined)) {
    if (event.position > until) break;
    if (routeOf(event)?.partition !== shard.partition) continue;
    batch.push({ ...event, previous });
    previous = event.position;
    if (batch.length === batchSize) await flush();
  }
  if (batch.length > 0) await flush();
  if (previous === null || previous < until) throw new Error("the event log ends before the event bus");
}

/** Applies events; where one is at fault, applies those before it and stops the shard. */
async function applyOrStop(
  parts: ProjectorDependencies,
  shard: Shard,
  events: readonly ChainedEvent[],
  skipped: ReadonlySet<Position>,
): Promise<Applied> {
  try {
    return await applyEvents(parts.db, shard, events, skipped);
  } catch (error) {
    const [event] = events;
    if (!(error instanceof EventFault) || !event) throw error;
    if (events.length === 1) return stop(parts, shard, event, error);
    const middle = Math.floor(events.length / 2);
    const before = await applyOrStop(parts, shard, events.slice(0, middle), skipped);
    if (before.gap) return before;
    const after = await applyOrStop(parts, shard, events.slice(middle), skipped);
    return { ...after, count: before.count + after.count };
  }
}

async function stop(
  { db, logger, observer }: ProjectorDependencies,
  shard: Shard,
  event: ChainedEvent,
  { cause }: EventFault,
): Promise<never> {
  const reason = await recordPoison(db, shard, event, cause);
  observer.stopped(shard, true);
  logger.error(
    {
      projection: shard.projection.name,
      partition: shard.partition,
      position: String(event.position),
      stream: event.stream,
      revision: event.revision,
      eventType: event.type,
      reason,
    },
    "projection stopped at an event that it cannot apply: mend the program, or move past it",
  );
  throw new Stopped(event.position, { cause });
}

async function untilPast(
  { db, logger, observer }: ProjectorDependencies,
  shard: Shard,
  position: Position,
  signal: AbortSignal,
): Promise<void> {
  const past = () =>
    isPast(db, shard, position).catch((error: unknown) => {
      logger.warn({ err: error }, "a stopped projection cannot see whether it may go on");
      return false;
    });
  while (!signal.aborted && !(await past())) await pause(skipCheckMs, signal);
  observer.stopped(shard, false);
}

/** A redelivered event may come last and be an old one. */
function greatestPosition(events: readonly ChainedEvent[]): Position {
  let greatest = 0n;
  for (const { position } of events) if (position > greatest) greatest = position;
  return greatest;
}

const pause = (ms: number, signal: AbortSignal) => delay(ms, undefined, { signal }).catch(() => {});
