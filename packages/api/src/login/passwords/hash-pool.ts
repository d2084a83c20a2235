import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { CarillonError, type TenantId } from "@carillon/domain";
import { Counter, Gauge, Histogram, type Logger, type Registry } from "@carillon/platform";
import { fairQueue } from "../../load/fair-queue.ts";
import { retryAfterTimes } from "../../load/retry-after.ts";
import type { HashJob, HashThreadMessage } from "./hash-thread.ts";

/** Hashes passwords in threads of their own, at low priority, fairly between tenants. */
export interface HashPool {
  /**
   * Whether the password fits what `stored` gives; takes as long for null (nobody). A stored hash that cannot be read fits
   * nothing. Throws `busy` with a wait when the queue is full, `unavailable` where no thread can run, or what `stored`
   * throws.
   *
   * @param stored is called when its turn is near, so that nothing is read for somebody who is sent away
   */
  verify(tenantId: TenantId, stored: () => Promise<string | null>, password: string): Promise<boolean>;
  /** The password as it is to be stored. Throws as `verify` does. */
  hash(tenantId: TenantId, password: string): Promise<string>;
  /** Takes nothing more, and resolves when everything that was taken has been answered. */
  close(): Promise<void>;
}

type Result = Exclude<HashThreadMessage, { type: "ready" }>;

interface Task {
  readonly tenantId: TenantId;
  readonly prepare: () => Promise<HashJob>;
  /** What its tenant was charged with when it left the queue, in milliseconds. */
  charged: number;
  /** Whether a thread died of it, or beside it. */
  repeated: boolean;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

interface PreparedTask {
  readonly task: Task;
  readonly job: HashJob;
}

interface Thread {
  readonly worker: Worker;
  /** What it does and what it does next, so that it never waits for us. */
  readonly tasks: Task[];
  ready: boolean;
}

/** How much work may wait, as the time in which all threads do it. */
const longestQueueMs = 2_000;
/** So many may always wait: a class and its neighbours come in the same second, however slow the machine is. */
const smallestQueue = 64;
/** One that is done and one that is next. */
const tasksPerThread = 2;
/** So many are prepared ahead for each thread, while what they need is read. */
const preparedPerThread = 2;
/** What a hash is taken to cost until one was measured. */
const firstGuessMs = 20;
/** The weight of the newest hash in the moving average. */
const newestWeight = 0.05;
const restartAfterMs = 1_000;

/**
 * Starts the threads: `width` of them, else as many as there are cores. `close` ends them. A thread that dies is
 * replaced, and what it was doing is done once more.
 */
export function openHashPool(options: {
  metrics: Registry;
  log: Pick<Logger, "warn" | "error">;
  width?: number;
}): HashPool {
  const { metrics, log, width = availableParallelism() } = options;
  const queue = fairQueue<Task>();
  let preparing = 0;
  const prepared: PreparedTask[] = [];
  const shed = retryAfterTimes();
  const threads = new Set<Thread>();
  let averageMs = firstGuessMs;
  let accepted = 0;
  let state: "open" | "closing" | "closed" = "open";
  /** Set while no thread can be started. */
  let broken = false;
  let saidPriority = false;
  let idle = () => {};

  const seconds = new Histogram({
    name: "carillon_hash_seconds",
    help: "How long a password's hash took",
    buckets: [0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [metrics],
  });
  const refusals = new Counter({
    name: "carillon_hash_busy_total",
    help: "Hashes that were refused as busy: on arrival, or pushed out of the queue by another tenant's",
    labelNames: ["reason"],
    registers: [metrics],
  });
  new Gauge({
    name: "carillon_hash_queue_length",
    help: "Hashes that wait for a thread",
    registers: [metrics],
    collect() {
      this.set(queue.length());
    },
  });

  function start(): void {
    const thread: Thread = { worker: new Worker(threadModule), tasks: [], ready: false };
    threads.add(thread);
    thread.worker.on("message", (message: HashThreadMessage) => {
      if (message.type === "ready") welcome(thread, message.lowPriority, message.ms);
      else finish(thread, message);
    });
    thread.worker.on("error", (error) => log.error({ err: error }, "a hashing thread failed"));
    thread.worker.on("exit", () => {
      threads.delete(thread);
      if (state !== "closed") replace(thread);
    });
  }

  function welcome(thread: Thread, lowPriority: boolean, ms: number): void {
    thread.ready = true;
    broken = false;
    if (averageMs === firstGuessMs) averageMs = ms;
    if (!lowPriority && !saidPriority) {
      saidPriority = true;
      log.warn(
        "hashing threads run at normal priority: this system or its permissions give them no lower one",
      );
    }
    dispatch();
  }

  function finish(thread: Thread, result: Result): void {
    const task = thread.tasks.shift();
    dispatch();
    if (!task) return;
    seconds.observe(result.ms / 1000);
    averageMs += (result.ms - averageMs) * newestWeight;
    queue.charge(task.tenantId, result.ms - task.charged);
    task.resolve(result);
  }

  function replace(thread: Thread): void {
    log.error("a hashing thread ended: another takes its place");
    for (const task of thread.tasks.reverse()) {
      if (task.repeated) task.reject(unavailable());
      else {
        task.repeated = true;
        queue.putBack(task.tenantId, task, task.charged);
      }
    }
    if (thread.ready) start();
    else setTimeout(() => state !== "closed" && start(), restartAfterMs);
    if (threads.size > 0) return;
    broken = true;
    for (const { task } of prepared.splice(0)) task.reject(unavailable());
    for (let task = queue.take(0); task; task = queue.take(0)) task.reject(unavailable());
  }

  function dispatch(): void {
    for (let thread = leastBusy(); thread; thread = leastBusy()) {
      const next = prepared.shift();
      if (!next) break;
      thread.tasks.push(next.task);
      thread.worker.postMessage(next.job);
    }
    const ready = [...threads].filter((thread) => thread.ready).length;
    while (preparing + prepared.length < ready * preparedPerThread) {
      const task = queue.take(averageMs);
      if (!task) return;
      task.charged = averageMs;
      prepare(task);
    }
  }

  async function prepare(task: Task): Promise<void> {
    preparing++;
    try {
      const job = await task.prepare();
      if (broken) task.reject(unavailable());
      else prepared.push({ task, job });
    } catch (error) {
      queue.charge(task.tenantId, -task.charged);
      task.reject(error);
    }
    preparing--;
    dispatch();
  }

  function leastBusy(): Thread | undefined {
    let found: Thread | undefined;
    for (const thread of threads) {
      if (!thread.ready || thread.tasks.length >= tasksPerThread) continue;
      if (!found || thread.tasks.length < found.tasks.length) found = thread;
    }
    return found;
  }

  async function run(tenantId: TenantId, prepare: () => Promise<HashJob>): Promise<Result> {
    if (state !== "open" || broken) throw unavailable();
    accepted++;
    try {
      return await new Promise<Result>((resolve, reject) => {
        const task: Task = { tenantId, prepare, charged: 0, repeated: false, resolve, reject };
        const capacity = Math.max(smallestQueue, Math.round((longestQueueMs * width) / averageMs));
        const leaves = queue.add(tenantId, task, capacity);
        if (leaves) {
          refusals.inc({ reason: leaves === task ? "full" : "pushed_out" });
          leaves.reject(busy(leaves.tenantId));
        }
        dispatch();
      });
    } finally {
      accepted--;
      if (accepted === 0) idle();
    }
  }

  function busy(tenantId: TenantId): CarillonError {
    const full = {
      slotMs: averageMs / width,
      length: queue.length(),
      ownLength: queue.lengthOf(tenantId),
      tenants: queue.tenants(),
    };
    const wait = shed(tenantId, full, Date.now());
    const inSeconds = Math.ceil(wait.retryAfterMs / 1000);
    return new CarillonError(
      "busy",
      `Very many are logging in right now: your place in the queue is ${wait.place}. Try again in ${inSeconds} s.`,
      { wait },
    );
  }

  for (let i = 0; i < width; i++) start();

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
      if (state !== "open") return;
      state = "closing";
      if (accepted > 0) await new Promise<void>((resolve) => (idle = resolve));
      state = "closed";
      await Promise.all([...threads].map(({ worker }) => worker.terminate()));
    },
  };
}

const threadModule = new URL("./hash-thread.ts", import.meta.url);

const unavailable = () =>
  new CarillonError("unavailable", "Passwords cannot be checked at the moment: try again.");
