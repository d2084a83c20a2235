import { type Bus, Counter, feedBacklog, Gauge, type Registry, telemetryNames } from "@carillon/platform";
import type { Lane } from "./apply-events.ts";
import { type LaneObserver, readerOf } from "./run-partition.ts";

/** Keeps the metrics of lanes; `stopped` names those that an event stopped. */
export function observeLanes(lanes: readonly Lane[], bus: Bus, metrics: Registry) {
  const created = new Map<Lane, Date>();
  const stoppedLanes = new Set<Lane>();
  const labels = ({ projection, partition }: Lane) => ({ projection: projection.name, partition });
  const about = { registers: [metrics], labelNames: ["projection", "partition"] as const };

  const projected = new Counter({
    name: telemetryNames.projectedEvents,
    help: "Events that the projection went past",
    registers: [metrics],
    labelNames: ["projection"],
  });
  const stopped = new Gauge({
    ...about,
    name: telemetryNames.projectionStopped,
    help: "1 where an event stopped it",
  });
  const lagSeconds = new Gauge({
    ...about,
    name: telemetryNames.projectionLagSeconds,
    help: "Age of the last event that a lagging projection has",
  });
  new Gauge({
    ...about,
    name: telemetryNames.projectionLagEvents,
    help: "Events on the bus that the projection does not have yet",
    async collect() {
      for (const lane of lanes) {
        // Without the bus the figures stay what they were.
        const backlog = await feedBacklog(bus, readerOf(lane)).catch(() => undefined);
        if (backlog === undefined) continue;
        this.set(labels(lane), backlog);
        const last = created.get(lane);
        lagSeconds.set(labels(lane), backlog > 0 && last ? (Date.now() - last.getTime()) / 1_000 : 0);
      }
    },
  });
  for (const lane of lanes) stopped.set(labels(lane), 0);

  const observer: LaneObserver = {
    applied(lane, { count, created: last }) {
      projected.inc({ projection: lane.projection.name }, count);
      if (last) created.set(lane, new Date(last));
    },
    stopped(lane, isStopped) {
      stopped.set(labels(lane), isStopped ? 1 : 0);
      if (isStopped) stoppedLanes.add(lane);
      else stoppedLanes.delete(lane);
    },
  };
  return {
    observer,
    notes: () =>
      [...stoppedLanes].map(
        ({ projection, partition }) =>
          `stopped: partition ${partition} of ${projection.name}, see carillon projections status`,
      ),
  };
}
