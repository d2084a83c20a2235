import {
  type Bus,
  counter,
  type DeadLetters,
  gauge,
  histogram,
  oldestWork,
  openDeadLetters,
  type Registry,
} from "@carillon/platform";
import type { JobHandler } from "./job-handler.ts";
import type { WorkObserver } from "./work-on.ts";

/** Keeps the metrics of the work queue; figures that NATS holds stay what they were while it is away. */
export function observeWork(handlers: readonly JobHandler[], bus: Bus, metrics: Registry): WorkObserver {
  const done = counter(metrics, "carillon_work_done_total");
  const failed = counter(metrics, "carillon_work_retries_total");
  const seconds = histogram(metrics, "carillon_work_seconds");
  let letters: Promise<DeadLetters> | undefined;
  gauge(metrics, "carillon_work_dead", async function () {
    letters ??= openDeadLetters(bus);
    const counts = await letters.then((open) => open.count()).catch(() => undefined);
    if (!counts) letters = undefined;
    else for (const { name } of handlers) this.set({ handler: name }, counts.get(name) ?? 0);
  });
  gauge(metrics, "carillon_work_lag_seconds", async function () {
    for (const handler of handlers) {
      const lag = await lagSeconds(bus, handler).catch(() => undefined);
      if (lag !== undefined) this.set({ handler: handler.name }, lag);
    }
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
