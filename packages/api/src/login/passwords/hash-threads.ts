import { Worker } from "node:worker_threads";
import type { HashJob, HashThreadMessage } from "./hash-thread.ts";

/** What a thread answers a job with. */
export type HashResult = Exclude<HashThreadMessage, { type: "ready" }>;

/** Threads that hash, none of which waits for us. */
export interface HashThreads<Task> {
  /** How many can work now. */
  ready(): number;
  /** Gives a job to the thread that has the least to do. False, and nothing is done, where all have enough. */
  give(next: () => { readonly task: Task; readonly job: HashJob } | undefined): boolean;
  /** Ends all of them, with what they do. */
  end(): Promise<unknown>;
}

/** What is told of the threads. */
export interface HashThreadEvents<Task> {
  /** A thread can work. @param ms how long its first hash took */
  ready(ms: number, lowPriority: boolean): void;
  done(task: Task | undefined, result: HashResult): void;
  failed(error: unknown): void;
  /** A thread ended by itself. @param tasks what it had, the newest first @param left how many threads there are */
  ended(tasks: Task[], left: number): void;
}

interface Thread<Task> {
  readonly worker: Worker;
  /** What it does and what it does next. */
  readonly tasks: Task[];
  ready: boolean;
}

/** One that is done and one that is next. */
const tasksPerThread = 2;
const restartAfterMs = 1_000;
const threadModule = new URL("./hash-thread.ts", import.meta.url);

/** Starts `width` threads. One that ends is replaced: at once if it had begun to work, else after a second. */
export function startHashThreads<Task>(width: number, events: HashThreadEvents<Task>): HashThreads<Task> {
  const threads = new Set<Thread<Task>>();
  let ending = false;

  const start = () => {
    if (ending) return;
    const thread: Thread<Task> = { worker: new Worker(threadModule), tasks: [], ready: false };
    threads.add(thread);
    thread.worker.on("message", (message: HashThreadMessage) => {
      if (message.type !== "ready") return events.done(thread.tasks.shift(), message);
      thread.ready = true;
      events.ready(message.ms, message.lowPriority);
    });
    thread.worker.on("error", events.failed);
    thread.worker.on("exit", () => {
      threads.delete(thread);
      if (ending) return;
      if (thread.ready) start();
      else setTimeout(start, restartAfterMs);
      events.ended(thread.tasks.reverse(), threads.size);
    });
  };

  for (let i = 0; i < width; i++) start();

  return {
    ready: () => [...threads].filter(({ ready }) => ready).length,
    give(next) {
      const thread = leastBusy(threads);
      const given = thread && next();
      if (!given) return false;
      thread.tasks.push(given.task);
      thread.worker.postMessage(given.job);
      return true;
    },
    end() {
      ending = true;
      return Promise.all([...threads].map(({ worker }) => worker.terminate()));
    },
  };
}

/** Undefined where none is ready, or each has what it does and what it does next. */
function leastBusy<Task>(threads: Iterable<Thread<Task>>): Thread<Task> | undefined {
  let found: Thread<Task> | undefined;
  for (const thread of threads) {
    if (!thread.ready || thread.tasks.length >= tasksPerThread) continue;
    if (!found || thread.tasks.length < found.tasks.length) found = thread;
  }
  return found;
}
