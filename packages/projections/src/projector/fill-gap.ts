import { type ChainedEvent, type EventLog, type Position, routeOf } from "@carillon/platform";
import type { Applied, Shard } from "./apply-events.ts";

/** Applies events to a shard. */
export type Apply = (events: readonly ChainedEvent[]) => Promise<Applied>;

const batchSize = 1_000;

/** Applies what the bus does not have, or not in time: the shard's events after `after` as far as `until`. */
export async function fillGap(
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
