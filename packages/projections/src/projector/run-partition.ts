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
  placeOf,
} from "@carillon/platform";
import type { Kysely } from "kysely";
import { type Applied, applyEvents, EventFault, type Lane, readCheckpoint } from "./apply-events.ts";
import { isPast, recordPoison, skippedPositions } from "./poison.ts";

/** What a projector works with. */
export interface ProjectorParts {
  readonly bus: Bus;
  readonly eventLog: EventLog;
  /** The projections' database, as `carillon_projector`. */
  readonly db: Kysely<CheckpointTables>;
  readonly logger: Logger;
  readonly observer: LaneObserver;
}

/** Is told how lanes get on. */
export interface LaneObserver {
  applied(lane: Lane, applied: Applied): void;
  stopped(lane: Lane, isStopped: boolean): void;
}

type Apply = (events: readonly ChainedEvent[]) => Promise<Applied>;

const batchSize = 1_000;
const retryDelayMs = 250;

/**
 * Where events come faster than they are applied, they are gathered: a transaction for each would be most of the work.
 * What changes no row waits for what does: logins alone would be a transaction each in every lane. Both last the longer
 * the longer a batch takes to apply, so that little is left of it where others want the processors.
 */
const gatherMs = (appliedMs: number) => pauseAfter(appliedMs, 100);
const holdMs = (appliedMs: number) => pauseAfter(appliedMs, 250);
const longestPauseMs = 1_000;
const pauseAfter = (appliedMs: number, leastMs: number) =>
  Math.min(Math.max(4 * appliedMs, leastMs), longestPauseMs);

const skipCheckMs = 500;

/** What the bus remembers the lane's place under. */
export const readerOf = ({ projection: { name, version }, partition }: Lane) =>
  `${name}_v${version}_p${partition}`;

/**
 * Keeps one lane up to date until `signal` aborts. Whatever fails, it begins again at the checkpoint, for ever; an
 * event that cannot be applied stops the lane until somebody moves past it.
 */
export async function runLane(parts: ProjectorParts, lane: Lane, signal: AbortSignal): Promise<void> {
  const about = { projection: lane.projection.name, partition: lane.partition };
  while (!signal.aborted) {
    try {
      await follow(parts, lane, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Stopped) await untilPast(parts, lane, error.position, signal);
      else {
        parts.logger.warn({ ...about, err: error }, "projection interrupted, trying again");
        await pause(retryDelayMs, signal);
      }
    }
  }
}

/** The lane stopped at the event of this position. */
class Stopped extends Error {
  readonly position: Position;

  constructor(position: Position, options: ErrorOptions) {
    super(`stopped at position ${position}`, options);
    this.position = position;
  }
}

async function follow(parts: ProjectorParts, lane: Lane, signal: AbortSignal): Promise<void> {
  const start = await readCheckpoint(parts.db, lane);
  const skipped = await skippedPositions(parts.db, lane);
  const apply: Apply = async (events) => {
    const applied = await applyOrStop(parts, lane, events, skipped);
    if (applied.count > 0) parts.observer.applied(lane, applied);
    return applied;
  };
  const feed = await openEventFeed(parts.bus, readerOf(lane), lane.partition);
  signal.addEventListener("abort", feed.close, { once: true });
  try {
    signal.throwIfAborted();
    const { unacknowledged } = feed;
    if (unacknowledged !== undefined && unacknowledged > (start ?? -1n)) {
      await fillGap(parts.eventLog, lane, start, unacknowledged, apply);
    }
    let appliedMs = 0;
    for (;;) {
      const deliveries = await nextToApply(feed, lane, holdMs(appliedMs));
      const events = deliveries.map(({ event }) => event);
      const begin = performance.now();
      const { gap, checkpoint } = await apply(events);
      if (gap) await fillGap(parts.eventLog, lane, checkpoint, greatestPosition(events), apply);
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

/** What has arrived. Where the lane takes none of it, with what comes in so many milliseconds, until there is something. */
async function nextToApply(feed: EventFeed, { projection }: Lane, forMs: number): Promise<Delivery[]> {
  const deliveries = await feed.next(batchSize);
  const until = performance.now() + forMs;
  while (deliveries.length < batchSize && !deliveries.some(({ event }) => projection.takes.has(event.type))) {
    const patienceMs = until - performance.now();
    if (patienceMs <= 0) break;
    deliveries.push(...(await feed.next(batchSize - deliveries.length, patienceMs)));
  }
  return deliveries;
}

/** Applies what the bus does not have, or not in time: the lane's events after `after` as far as `until`. */
async function fillGap(
  eventLog: EventLog,
  lane: Lane,
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
    if (placeOf(event)?.partition !== lane.partition) continue;
    batch.push({ ...event, previous });
    previous = event.position;
    if (batch.length === batchSize) await flush();
  }
  if (batch.length > 0) await flush();
  if (previous === null || previous < until) throw new Error("the event log ends before the event bus");
}

/** Applies events; where one is at fault, applies those before it and stops the lane. */
async function applyOrStop(
  parts: ProjectorParts,
  lane: Lane,
  events: readonly ChainedEvent[],
  skipped: ReadonlySet<Position>,
): Promise<Applied> {
  try {
    return await applyEvents(parts.db, lane, events, skipped);
  } catch (error) {
    const [event] = events;
    if (!(error instanceof EventFault) || !event) throw error;
    if (events.length === 1) return stop(parts, lane, event, error);
    const middle = Math.floor(events.length / 2);
    const before = await applyOrStop(parts, lane, events.slice(0, middle), skipped);
    if (before.gap) return before;
    const after = await applyOrStop(parts, lane, events.slice(middle), skipped);
    return { ...after, count: before.count + after.count };
  }
}

async function stop(
  { db, logger, observer }: ProjectorParts,
  lane: Lane,
  event: ChainedEvent,
  { cause }: EventFault,
): Promise<never> {
  const reason = await recordPoison(db, lane, event, cause);
  observer.stopped(lane, true);
  logger.error(
    {
      projection: lane.projection.name,
      partition: lane.partition,
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
  { db, logger, observer }: ProjectorParts,
  lane: Lane,
  position: Position,
  signal: AbortSignal,
): Promise<void> {
  const past = () =>
    isPast(db, lane, position).catch((error: unknown) => {
      logger.warn({ err: error }, "a stopped projection cannot see whether it may go on");
      return false;
    });
  while (!signal.aborted && !(await past())) await pause(skipCheckMs, signal);
  observer.stopped(lane, false);
}

/** A redelivered event may come last and be an old one. */
function greatestPosition(events: readonly ChainedEvent[]): Position {
  let greatest = 0n;
  for (const { position } of events) if (position > greatest) greatest = position;
  return greatest;
}

const pause = (ms: number, signal: AbortSignal) => delay(ms, undefined, { signal }).catch(() => {});
