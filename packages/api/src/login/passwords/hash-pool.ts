import { availableParallelism } from "node:os";
import type { TenantId } from "@carillon/domain";
import { counter, gauge, histogram, type Logger, type Registry } from "@carillon/platform";
import { cannotHash, type HashTask, openHashQueue } from "./hash-queue.ts";
import type { HashJob } from "./hash-thread.ts";
import { type HashResult, startHashThreads } from "./hash-threads.ts";

/** Hashes passwords in threads of their own, at low priority, fairly between tenants. */
export interface HashPool {
  /**
   * Whether the password fits what `stored` gives; takes as long for null (nobody). A stored hash that cannot be read fits
   * nothing. Throws `busy` with a wait when the queue is full, `unavailable` where no thread can run, or what `stored`
   * throws.
   *
   * @param stored is called when its turn is near, so that nothing is read for a login that is shed
   */
  verify(tenantId: TenantId, stored: () => Promise<string | null>, password: string): Promise<boolean>;
  /** The password as it is to be stored. Throws as `verify` does. */
  hash(tenantId: TenantId, password: string): Promise<string>;
  /** Takes nothing more, and resolves when everything that was taken has been answered. */
  close(): Promise<void>;
}

interface HashPoolOptions {
  readonly metrics: Registry;
  readonly log: Pick<Logger, "warn" | "error">;
  readonly width?: number;
}

/**
 * Starts the threads: `width` of them, else as many as there are cores. `close` ends them. A thread that dies is
 * replaced, and what it was doing is done once more.
 */
export function openHashPool(options: HashPoolOptions): HashPool {
  const { log } = options;
  const work = openHashWork(options);
  let accepted = 0;
  let isOpen = true;
  let idle = () => {};

  async function run(tenantId: TenantId, prepare: () => Promise<HashJob>): Promise<HashResult> {
    if (!isOpen || !work.works()) throw cannotHash();
    accepted++;
    try {
      return await new Promise<HashResult>((resolve, reject) =>
        work.add({ tenantId, prepare, charged: 0, repeated: false, resolve, reject }),
      );
    } finally {
      accepted--;
      if (accepted === 0) idle();
    }
  }

  return {
    async verify(tenantId, stored, password) {
      const result = await run(tenantId, async () => ({ type: "check", stored: await stored(), password }));
      if (result.type !== "checked") throw new TypeError("a check was answered with a hash");
      if (result.verdict === "unreadable")
        log.warn({ tenantId }, "a stored password hash cannot be read: no password fits it");
      return result.verdict === "fits";
    },
    async hash(tenantId, password) {
      const result = await run(tenantId, async () => ({ type: "hash", password }));
      if (result.type !== "hashed") throw new TypeError("a hash was answered with a check");
      return result.hash;
    },
    async close() {
      if (!isOpen) return;
      isOpen = false;
      if (accepted > 0) await new Promise<void>((resolve) => (idle = resolve));
      await work.end();
    },
  };
}

/** The queue before the threads, and what goes on between them. */
function openHashWork({ metrics, log, width = availableParallelism() }: HashPoolOptions) {
  /** False while no thread can be started. */
  let works = true;
  let saidPriority = false;
  const queue = openHashQueue(width, { prepared: () => dispatch(), stillWorks: () => works });
  const { seconds, refusals } = hashMetrics(metrics, queue.length);

  const threads = startHashThreads<HashTask>(width, {
    ready(ms, lowPriority) {
      works = true;
      queue.took(ms);
      if (!lowPriority && !saidPriority) {
        saidPriority = true;
        log.warn(
          "hashing threads run at normal priority: this system or its permissions give them no lower one",
        );
      }
      dispatch();
    },
    done(task, result) {
      dispatch();
      if (!task) return;
      seconds.observe(result.ms / 1000);
      queue.took(result.ms, task);
      task.resolve(result);
    },
    failed: (error) => log.error({ err: error }, "a hashing thread failed"),
    ended(tasks, left) {
      log.error("a hashing thread ended: another takes its place");
      queue.putBack(tasks);
      if (left > 0) return;
      works = false;
      queue.giveUp();
    },
  });

  /** Gives the threads what is prepared, and has prepared what comes after it. */
  function dispatch(): void {
    while (threads.give(queue.next));
    queue.prepareFor(threads.ready());
  }

  return {
    works: () => works,
    add(task: HashTask) {
      const leaving = queue.add(task);
      if (leaving) refusals.inc({ reason: leaving === task ? "full" : "pushed_out" });
      dispatch();
    },
    end: threads.end,
  };
}

const hashMetrics = (metrics: Registry, queueLength: () => number) => {
  gauge(metrics, "carillon_hash_queue_length", function () {
    this.set(queueLength());
  });
  return {
    seconds: histogram(metrics, "carillon_hash_seconds"),
    refusals: counter(metrics, "carillon_hash_busy_total"),
  };
};
