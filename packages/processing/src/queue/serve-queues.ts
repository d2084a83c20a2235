import { type Logger, pause, type QueueKey, type WorkItem, type WorkQueue } from "@carillon/platform";
import PQueue from "p-queue";
import { servedQueues } from "./served-queues.ts";

/**
 * How many items are worked on at once: while one waits for servers, others go on. Few, so that in a flood, when every
 * wait is long, less is asked of the servers that answer students.
 */
const maxAtOnce = 8;
/** New work is seen at once; this often we look for what was sent before, or is to be tried again. */
const lookEveryMs = 1_000;

/**
 * Works on every tenant's queue of the named handlers until `signal` aborts; what was begun is finished then. Rejects where the queue was lost.
 *
 * Fair: each queue waits in line with one item at a time, so that turns go round the queues that hold work, whatever one
 * of them holds.
 */
export async function serveQueues(
  queue: WorkQueue,
  handlers: ReadonlySet<string>,
  work: (item: WorkItem) => Promise<void>,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const line = new PQueue({ concurrency: maxAtOnce });
  const served = servedQueues(queue, (item) => begun(line, () => work(item)), logger, signal);
  const open = async (key: QueueKey) => {
    if (handlers.has(key.handler)) await served.open(key);
  };
  try {
    // Where this fails, the next look opens it.
    queue.watch((key) => open(key).catch(() => {}));
    while (!signal.aborted) {
      const waiting = await queue.waiting();
      for (const key of waiting) await open(key);
      served.closeIdle(waiting);
      await pause(lookEveryMs, signal);
    }
  } finally {
    served.closeAll();
    await line.onIdle();
  }
}

/** Puts work in the line, and resolves when its turn has come. */
const begun = (line: PQueue, work: () => Promise<void>) =>
  new Promise<void>((resolve) => {
    line.add(() => {
      resolve();
      return work();
    });
  });
