import { setTimeout as delay } from "node:timers/promises";
import {
  type Logger,
  type QueueKey,
  type WorkFeed,
  type WorkItem,
  type WorkQueue,
  workSubject,
} from "@carillon/platform";
import { createSemaphore } from "./semaphore.ts";

/**
 * How many items are worked on at once: while one waits for servers, others go on. Few, so that in a flood, when every
 * wait is long, less is asked of the servers that answer students.
 */
const maxAtOnce = 8;
/** New work is seen at once; this often we look for what was sent before, or put back. */
const lookEveryMs = 1_000;
const keepIdleMs = 60_000;

interface Served {
  readonly feed: WorkFeed;
  lastAt: number;
}

/**
 * Works on every tenant's queue of the named handlers until `signal` aborts; what was begun is finished then. Rejects where the queue was lost.
 *
 * Fair: each queue stands in the line for a place with one item at a time, so that places go round the queues that
 * hold work, whatever one of them holds.
 */
export async function serveQueues(
  queue: WorkQueue,
  handlers: ReadonlySet<string>,
  work: (item: WorkItem) => Promise<void>,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const slots = createSemaphore(maxAtOnce);
  const served = new Map<string, Served>();
  const opening = new Set<string>();

  const serve = async (subject: string, one: Served) => {
    try {
      for (;;) {
        const item = await one.feed.next();
        await slots.take();
        work(item).finally(slots.free);
        one.lastAt = Date.now();
      }
    } catch (error) {
      // Closed, or lost: then it is opened again when it is next seen to hold work.
      if (served.get(subject) === one) logger.warn({ subject, err: error }, "a work feed ended");
    } finally {
      if (served.get(subject) === one) served.delete(subject);
      one.feed.close();
    }
  };

  const open = async (place: QueueKey) => {
    const subject = workSubject("work", place);
    if (!handlers.has(place.handler) || served.has(subject) || opening.has(subject)) return;
    opening.add(subject);
    try {
      const one = { feed: await queue.feed(place), lastAt: Date.now() };
      if (signal.aborted) return one.feed.close();
      served.set(subject, one);
      serve(subject, one);
    } finally {
      opening.delete(subject);
    }
  };

  const close = (subject: string, { feed }: Served) => {
    served.delete(subject);
    feed.close();
  };

  try {
    // Where this fails, the next look opens it.
    queue.watch((place) => open(place).catch(() => {}));
    while (!signal.aborted) {
      const waiting = await queue.waiting();
      const subjects = new Set(waiting.map((place) => workSubject("work", place)));
      for (const place of waiting) await open(place);
      for (const [subject, one] of served) {
        if (!subjects.has(subject) && Date.now() - one.lastAt > keepIdleMs) close(subject, one);
      }
      await delay(lookEveryMs, undefined, { signal }).catch(() => {});
    }
  } finally {
    for (const [subject, one] of served) close(subject, one);
    await slots.idle();
  }
}
