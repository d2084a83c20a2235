import { setTimeout as delay } from "node:timers/promises";
import { type Bus, openTries, openWorkQueue, type WorkItem } from "@carillon/platform";
import { dispatch } from "./dispatch.ts";
import type { Step } from "./job-handler.ts";
import { serveQueues } from "./serve-queues.ts";
import { type WorkParts, workOn } from "./work-on.ts";

/** What processing works with. */
export interface ProcessingParts extends Omit<WorkParts, "tries"> {
  readonly bus: Bus;
}

const retryDelayMs = 500;

/**
 * Turns events into work and does it, until `signal` aborts; what was begun is finished then. Several processes share
 * the work. Where the bus or its streams were lost it begins again: the relay fills `EVENTS` from the log, and every
 * event is dispatched anew.
 */
export async function runProcessing(
  { bus, ...parts }: ProcessingParts,
  steps: readonly Step[],
  signal: AbortSignal,
): Promise<void> {
  const working = { ...parts, tries: openTries(bus) };
  while (!signal.aborted) {
    try {
      await processUntilLost(bus, working, steps, signal);
    } catch (error) {
      if (signal.aborted) return;
      parts.logger.warn({ err: error }, "processing interrupted, trying again");
    }
    await delay(retryDelayMs, undefined, { signal }).catch(() => {});
  }
}

async function processUntilLost(
  bus: Bus,
  parts: WorkParts,
  steps: readonly Step[],
  signal: AbortSignal,
): Promise<void> {
  const queue = await openWorkQueue(bus);
  const lost = new AbortController();
  const ended = AbortSignal.any([signal, lost.signal]);
  const byName = new Map(steps.map((step) => [step.name, step]));
  const work = (item: WorkItem) => workOn(parts, byName.get(item.step) as Step, item);
  const running = [
    ...steps.map((step) => dispatch(queue, step, ended)),
    serveQueues(queue, new Set(byName.keys()), work, parts.logger, ended),
  ].map((part) =>
    part.catch((error: unknown) => {
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
