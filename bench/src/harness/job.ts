import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** A process that does jobs, one at a time. */
export interface Worker<Job, Result> {
  do(job: Job): Promise<Result>;
  stop(): Promise<void>;
}

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Runs the module `main`, which calls `serveJobs`, in a process of its own. */
export function startWorker<Job, Result>(main: string, args: readonly string[]): Worker<Job, Result> {
  const child = fork(main, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  running.add(child);
  const exited = once(child, "exit").finally(() => running.delete(child));
  return {
    async do(job) {
      child.send(job as object);
      const ended = exited.then(([code]) => {
        throw new Error(`${main} ended with ${code} in the middle of a job`);
      });
      const [answer] = await Promise.race([once(child, "message"), ended]);
      if ("error" in answer) throw new Error(answer.error);
      return answer.result;
    },
    async stop() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}

/** The other end: answers each job with what `work` gives for it. */
export function serveJobs<Job, Result>(work: (job: Job) => Promise<Result>): void {
  process.on("message", async (job) => {
    try {
      process.send?.({ result: await work(job as Job) });
    } catch (error) {
      process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  });
  process.once("disconnect", () => process.exit());
}
