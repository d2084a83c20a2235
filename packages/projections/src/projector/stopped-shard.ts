import {
  type ChainedEvent,
  type CheckpointTables,
  type Logger,
  type Position,
  pause,
} from "@carillon/platform";
import type { Kysely } from "kysely";
import { type Applied, applyEvents, EventFault, type Shard } from "./apply-events.ts";
import { isPast, recordPoison } from "./poison.ts";
import type { ShardObserver } from "./shard-observer.ts";

/** What is needed to apply events, and to say where that is impossible. */
interface Dependencies {
  readonly db: Kysely<CheckpointTables>;
  readonly logger: Logger;
  readonly observer: ShardObserver;
}

/** The shard stopped at the event of this position. */
export class Stopped extends Error {
  readonly position: Position;

  constructor(position: Position, options: ErrorOptions) {
    super(`stopped at position ${position}`, options);
    this.position = position;
  }
}

/**
 * Applies events; where one is at fault, applies those before it and stops the shard.
 *
 * @throws {Stopped} where it stopped
 */
export async function applyOrStop(
  dependencies: Dependencies,
  shard: Shard,
  events: readonly ChainedEvent[],
  skipped: ReadonlySet<Position>,
): Promise<Applied> {
  try {
    return await applyEvents(dependencies.db, shard, events, skipped);
  } catch (error) {
    const [event] = events;
    if (!(error instanceof EventFault) || !event) throw error;
    if (events.length === 1) return stop(dependencies, shard, event, error);
    const middle = Math.floor(events.length / 2);
    const before = await applyOrStop(dependencies, shard, events.slice(0, middle), skipped);
    if (before.gap) return before;
    const after = await applyOrStop(dependencies, shard, events.slice(middle), skipped);
    return { ...after, count: before.count + after.count };
  }
}

async function stop(
  { db, logger, observer }: Dependencies,
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

const skipCheckMs = 500;

/** Waits until somebody lets the shard move past the event of this position, or `signal` aborts. */
export async function untilPast(
  { db, logger, observer }: Dependencies,
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
