import { type Bus, Counter, feedBacklog, Gauge, type Registry, telemetryNames } from "@carillon/platform";
import type { Shard } from "./apply-events.ts";
import { readerOf } from "./reader-of.ts";
import type { ShardObserver } from "./shard-observer.ts";

/** Keeps the metrics of shards; `stopped` names those that an event stopped. */
export function observeShards(shards: readonly Shard[], bus: Bus, metrics: Registry) {
  const created = new Map<Shard, Date>();
  const stoppedShards = new Set<Shard>();
  const labels = ({ projection, partition }: Shard) => ({ projection: projection.name, partition });
  const ofShards = { registers: [metrics], labelNames: ["projection", "partition"] as const };

  const projected = new Counter({
    name: telemetryNames.projectedEvents,
    help: "Events that the projection went past",
    registers: [metrics],
    labelNames: ["projection"],
  });
  const stopped = new Gauge({
    ...ofShards,
    name: telemetryNames.projectionStopped,
    help: "1 where an event stopped it",
  });
  const lagSeconds = new Gauge({
    ...ofShards,
    name: telemetryNames.projectionLagSeconds,
    help: "Age of the last event that a lagging projection has",
  });
  new Gauge({
    ...ofShards,
    name: telemetryNames.projectionLagEvents,
    help: "Events on the bus that the projection does not have yet",
    async collect() {
      for (const shard of shards) {
        // Without the bus the figures stay what they were.
        const backlog = await feedBacklog(bus, readerOf(shard)).catch(() => undefined);
        if (backlog === undefined) continue;
        this.set(labels(shard), backlog);
        const last = created.get(shard);
        lagSeconds.set(labels(shard), backlog > 0 && last ? (Date.now() - last.getTime()) / 1_000 : 0);
      }
    },
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
