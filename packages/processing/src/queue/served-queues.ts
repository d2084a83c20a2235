import {
  type Logger,
  type QueueKey,
  type WorkFeed,
  type WorkItem,
  type WorkQueue,
  workSubject,
} from "@carillon/platform";

/** The queues that this process takes work from. */
export interface ServedQueues {
  /** Takes work from a queue from now on; does nothing where it does already. */
  open(key: QueueKey): Promise<void>;
  /** Closes the queues that are not in `holdWork` and have given none for a while. */
  closeIdle(holdWork: readonly QueueKey[]): void;
  closeAll(): void;
}

interface ServedQueue {
  readonly feed: WorkFeed;
  lastAt: number;
}

const keepIdleMs = 60_000;

/**
 * Serves no queue yet.
 *
 * @param begin resolves when work on the item has begun: only then the next item of its queue is taken
 * @param signal after it aborts no queue is opened
 */
export function servedQueues(
  queue: WorkQueue,
  begin: (item: WorkItem) => Promise<void>,
  logger: Logger,
  signal: AbortSignal,
): ServedQueues {
  const served = new Map<string, ServedQueue>();
  const opening = new Set<string>();

  const serve = async (subject: string, one: ServedQueue) => {
    try {
      for (;;) {
        await begin(await one.feed.next());
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

  const close = (subject: string, { feed }: ServedQueue) => {
    served.delete(subject);
    feed.close();
  };

  return {
    async open(key) {
      const subject = workSubject("work", key);
      if (served.has(subject) || opening.has(subject)) return;
      opening.add(subject);
      try {
        const one = { feed: await queue.feed(key), lastAt: Date.now() };
        if (signal.aborted) return one.feed.close();
        served.set(subject, one);
        serve(subject, one);
      } finally {
        opening.delete(subject);
      }
    },
    closeIdle(holdWork) {
      const subjects = new Set(holdWork.map((key) => workSubject("work", key)));
      for (const [subject, one] of served) {
        if (!subjects.has(subject) && Date.now() - one.lastAt > keepIdleMs) close(subject, one);
      }
    },
    closeAll() {
      for (const [subject, one] of served) close(subject, one);
    },
  };
}
