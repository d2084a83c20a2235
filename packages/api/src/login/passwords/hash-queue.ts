import { CarillonError, type TenantId } from "@carillon/domain";
import { fairQueue } from "../../load/fair-queue.ts";
import { retryAfterTimes } from "../../load/retry-after.ts";
import type { HashJob } from "./hash-thread.ts";
import type { HashResult } from "./hash-threads.ts";

/** A hash that somebody waits for. */
export interface HashTask {
  readonly tenantId: TenantId;
  /** Reads what the job needs. */
  readonly prepare: () => Promise<HashJob>;
  readonly resolve: (result: HashResult) => void;
  readonly reject: (error: unknown) => void;
  /** What its tenant was charged with when it left the queue, in milliseconds. */
  charged: number;
  /** Whether a thread died of it, or beside it. */
  repeated: boolean;
}

interface PreparedTask {
  readonly task: HashTask;
  readonly job: HashJob;
}

/** Hashes that wait, fairly between tenants; those whose turn is near are prepared ahead. */
export interface HashQueue {
  length(): number;
  /** Takes a task. Where too many wait, the one that has to leave is rejected as `busy` and given back. */
  add(task: HashTask): HashTask | undefined;
  /** Puts tasks back that were taken and not done; one that was put back before is rejected. */
  putBack(tasks: readonly HashTask[]): void;
  /** Prepares what comes next, for so many threads. */
  prepareFor(threads: number): void;
  /** The next task that is prepared. */
  next(): PreparedTask | undefined;
  /** Learns from a hash how long one takes, in milliseconds. */
  took(ms: number, task?: HashTask): void;
  /** Rejects everything. */
  giveUp(): void;
}

/** How much work may wait, as the time in which all threads do it. */
const longestQueueMs = 2_000;
/** So many may always wait: a class and its neighbours come in the same second, however slow the machine is. */
const smallestQueue = 64;
/** So many are prepared ahead for each thread, while what they need is read. */
const preparedPerThread = 2;
/** What a hash is taken to cost until one was measured. */
const firstGuessMs = 20;
/** The weight of the newest hash in the moving average. */
const newestWeight = 0.05;

/**
 * @param width how many threads do the work
 * @param prepared is called when a task may have become ready for a thread
 * @param stillWorks false while no thread can do anything
 */
export function openHashQueue(
  width: number,
  { prepared, stillWorks }: { prepared: () => void; stillWorks: () => boolean },
): HashQueue {
  const waiting = fairQueue<HashTask>();
  const ready: PreparedTask[] = [];
  const retryAfter = retryAfterTimes();
  let preparing = 0;
  let averageMs = firstGuessMs;

  const prepare = async (task: HashTask) => {
    preparing++;
    try {
      const job = await task.prepare();
      if (stillWorks()) ready.push({ task, job });
      else task.reject(cannotHash());
    } catch (error) {
      waiting.charge(task.tenantId, -task.charged);
      task.reject(error);
    }
    preparing--;
    prepared();
  };

  const busy = (tenantId: TenantId) => {
    const [length, ownLength] = [waiting.length(), waiting.lengthOf(tenantId)];
    const queue = { slotMs: averageMs / width, length, ownLength, tenants: waiting.tenants() };
    return tooMany(retryAfter(tenantId, queue, Date.now()));
  };

  return {
    length: waiting.length,
    add(task) {
      const capacity = Math.max(smallestQueue, Math.round((longestQueueMs * width) / averageMs));
      const leaving = waiting.add(task.tenantId, task, capacity);
      leaving?.reject(busy(leaving.tenantId));
      return leaving;
    },
    putBack(tasks) {
      for (const task of tasks) {
        if (task.repeated) task.reject(cannotHash());
        else waiting.putBack(task.tenantId, task, task.charged);
        task.repeated = true;
      }
    },
    prepareFor(threads) {
      while (preparing + ready.length < threads * preparedPerThread) {
        const task = waiting.take(averageMs);
        if (!task) return;
        task.charged = averageMs;
        prepare(task);
      }
    },
    next: () => ready.shift(),
    took(ms, task) {
      if (task) {
        averageMs += (ms - averageMs) * newestWeight;
        waiting.charge(task.tenantId, ms - task.charged);
      } else if (averageMs === firstGuessMs) averageMs = ms;
    },
    giveUp() {
      for (const { task } of ready.splice(0)) task.reject(cannotHash());
      for (let task = waiting.take(0); task; task = waiting.take(0)) task.reject(cannotHash());
    },
  };
}

const tooMany = (wait: { readonly retryAfterMs: number; readonly place: number | null }) =>
  new CarillonError(
    "busy",
    `Very many are logging in right now: your place in the queue is ${wait.place}. Try again in ${Math.ceil(wait.retryAfterMs / 1000)} s.`,
    { wait },
  );

/** No thread can run, or it does not survive this password. */
export const cannotHash = () =>
  new CarillonError("unavailable", "Passwords cannot be checked at the moment: try again.");
