import {
  type Bus,
  Counter,
  type DeadLetters,
  Gauge,
  Histogram,
  oldestWork,
  openDeadLetters,
  type Registry,
  telemetryNames,
} from "@carillon/platform";
import type { JobHandler } from "./job-handler.ts";
import type { WorkObserver } from "./work-on.ts";

/** Keeps the metrics of the work queue; figures that NATS holds stay what they were while it is away. */
export function observeWork(handlers: readonly JobHandler[], bus: Bus, metrics: Registry): WorkObserver {
  const byHandler = { registers: [metrics], labelNames: ["handler"] as const };
  const done = new Counter({
    ...byHandler,
    name: telemetryNames.workDone,
    help: "Items of work that were done",
  });
  const failed = new Counter({
    ...byHandler,
    name: telemetryNames.workRetries,
    help: "Failed tries of work",
  });
  const seconds = new Histogram({
    ...byHandler,
    name: telemetryNames.workSeconds,
    help: "How long one item takes",
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60],
  });
  let letters: Promise<DeadLetters> | undefined;
  new Gauge({
    ...byHandler,
    name: telemetryNames.workDead,
    help: "Work that could not be done and waits for somebody",
    async collect() {
      letters ??= openDeadLetters(bus);
      const counts = await letters.then((open) => open.count()).catch(() => undefined);
      if (!counts) letters = undefined;
      else for (const { name } of handlers) this.set({ handler: name }, counts.get(name) ?? 0);
    },
  });
  new Gauge({
    ...byHandler,
    name: telemetryNames.workLagSeconds,
    help: "For how long the oldest work has been due",
    async collect() {
      for (const handler of handlers) {
        const lag = await lagSeconds(bus, handler).catch(() => undefined);
        if (lag !== undefined) this.set({ handler: handler.name }, lag);
      }
    },
  });
  for (const { name } of handlers) {
    done.inc({ handler: name }, 0);
    failed.inc({ handler: name }, 0);
  }
  return {
    done(handler, took) {
      done.inc({ handler });
      seconds.observe({ handler }, took);
    },
    failed: (handler) => failed.inc({ handler }),
  };
}

async function lagSeconds(bus: Bus, handler: JobHandler): Promise<number> {
  const oldest = await oldestWork(bus, handler.name);
  if (!oldest) return 0;
  const dueAt = handler.dueAt(oldest.event) ?? oldest.sentAt;
  return Math.max(0, (Date.now() - dueAt.getTime()) / 1_000);
}
