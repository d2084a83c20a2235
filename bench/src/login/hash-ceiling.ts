/**
 * The machine's raw rate of argon2id, `node hash-ceiling.ts HASH PASSWORD`: as many threads as there are cores check the
 * password against the hash, whose parameters are those of Carillon, and do nothing else.
 */
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { verifySync } from "@node-rs/argon2";
import { serveJobs } from "../harness/job.ts";

export interface CeilingJob {
  readonly ms: number;
}
export interface CeilingResult {
  readonly perSecond: number;
  /** Processor time of one check, in milliseconds. */
  readonly cpuMs: number;
}

if (isMainThread) {
  const [hash, password] = process.argv.slice(2);
  serveJobs<CeilingJob, CeilingResult>(async ({ ms }) => {
    const cpu = process.cpuUsage();
    const threads = Array.from(
      { length: availableParallelism() },
      () => new Worker(new URL(import.meta.url), { workerData: { hash, password, ms } }),
    );
    const results: { checks: number; ms: number }[] = (
      await Promise.all(threads.map((thread) => once(thread, "message")))
    ).flat();
    const { user, system } = process.cpuUsage(cpu);
    const checks = results.reduce((sum, result) => sum + result.checks, 0);
    return {
      perSecond: results.reduce((sum, result) => sum + (result.checks * 1000) / result.ms, 0),
      cpuMs: (user + system) / 1000 / checks,
    };
  });
} else {
  const { hash, password, ms } = workerData;
  const begin = performance.now();
  let checks = 0;
  while (performance.now() - begin < ms) {
    if (!verifySync(hash, password)) throw new Error("the password does not fit the hash");
    checks++;
  }
  parentPort?.postMessage({ checks, ms: performance.now() - begin });
}
