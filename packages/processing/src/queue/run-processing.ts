import { type Bus, keepTrying, openTries, openWorkQueue, type WorkItem } from "@carillon/platform";
import { dispatch } from "./dispatch.ts";
import type { JobHandler } from "./job-handler.ts";
import { serveQueues } from "./serve-queues.ts";
import { type WorkDependencies, workOn } from "./work-on.ts";

/** What processing works with. */
export interface ProcessingDependencies extends Omit<WorkDependencies, "tries"> {
  readonly bus: Bus;
}

const retryDelayMs = 500;

/**
 * Turns events into work and does it, until `signal` aborts; what was begun is finished then. Several processes share
 * the work. Where the bus or its streams were lost it begins again: the relay fills `EVENTS` from the log, and every
 * event is dispatched anew.
 */
export async function runProcessing(
  { bus, ...dependencies }: ProcessingDependencies,
  handlers: readonly JobHandler[],
  signal: AbortSignal,
): Promise<void> {
  const working = { ...dependencies, tries: openTries(bus) };
  await keepTrying(() => processUntilLost(bus, working, handlers, signal), {
    signal,
    pauseMs: retryDelayMs,
    failed: (error) => dependencies.logger.warn({ err: error }, "processing interrupted, trying again"),
  });
}

async function processUntilLost(
  bus: Bus,
  dependencies: WorkDependencies,
  handlers: readonly JobHandler[],
  signal: AbortSignal,
): Promise<void> {
  const queue = await openWorkQueue(bus);
  const lost = new AbortController();
  const ended = AbortSignal.any([signal, lost.signal]);
  const byName = new Map(handlers.map((handler) => [handler.name, handler]));
  const work = (item: WorkItem) => workOn(dependencies, byName.get(item.handler) as JobHandler, item);
  const running = [
    ...handlers.map((handler) => dispatch(queue, handler, ended)),
    serveQueues(queue, new Set(byName.keys()), work, dependencies.logger, ended),
  ].map((task) =>
    task.catch((error: unknown) => {
      lost.abort();
      throw error;
    }),
  );
  try {
    // One that was lost ends the others; they are waited for, since they finish what they began.
    await Promise.allSettled(running);
    await Promise.all(running);
  } finally {
    queue.close();
  }
}
