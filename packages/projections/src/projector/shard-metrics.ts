import { type Bus, counter, feedBacklog, gauge, type Registry } from "@carillon/platform";
import type { Shard } from "./apply-events.ts";
import { readerOf } from "./reader-of.ts";
import type { ShardObserver } from "./shard-observer.ts";

/** Keeps the metrics of shards; `stopped` names those that an event stopped. */
export function observeShards(shards: readonly Shard[], bus: Bus, metrics: Registry) {
  const created = new Map<Shard, Date>();
  const stoppedShards = new Set<Shard>();
  const labels = ({ projection, partition }: Shard) => ({ projection: projection.name, partition });
  const projected = counter(metrics, "carillon_projection_events_total");
  const stopped = gauge(metrics, "carillon_projection_stopped");
  const lagSeconds = gauge(metrics, "carillon_projection_lag_seconds");
  gauge(metrics, "carillon_projection_lag_events", async function () {
    for (const shard of shards) {
      // Without the bus the figures stay what they were.
      const backlog = await feedBacklog(bus, readerOf(shard)).catch(() => undefined);
      if (backlog === undefined) continue;
      this.set(labels(shard), backlog);
      const last = created.get(shard);
      lagSeconds.set(labels(shard), backlog > 0 && last ? (Date.now() - last.getTime()) / 1_000 : 0);
    }
  });
  for (const shard of shards) stopped.set(labels(shard), 0);

  const observer: ShardObserver = {
    applied(shard, { count, created: last }) {
      projected.inc({ projection: shard.projection.name }, count);
      if (last) created.set(shard, new Date(last));
    },
    stopped(shard, isStopped) {
      stopped.set(labels(shard), isStopped ? 1 : 0);
      if (isStopped) stoppedShards.add(shard);
      else stoppedShards.delete(shard);
    },
  };
  return {
    observer,
    notes: () =>
      [...stoppedShards].map(
        ({ projection, partition }) =>
          `stopped: partition ${partition} of ${projection.name}, see carillon projections status`,
      ),
  };
}
