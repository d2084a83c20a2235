import { setTimeout as delay } from "node:timers/promises";
import { signal } from "./process-identity.ts";
import { type ProcessRun, startProcess } from "./process-run.ts";
import type { Log, ProcessSpec } from "./process-spec.ts";

export interface SupervisedProcess {
  readonly name: string;
  /** `undefined` while it does not run. */
  pid(): number | undefined;
  /** Whether it runs and is ready at this moment. Throws once it has been given up. */
  isReady(): Promise<boolean>;
  /** Waits until it is ready. Rejects if it is given up, or with the signal's reason. */
  whenReady(signal: AbortSignal): Promise<void>;
  /** Kills it as `kill -9` would, and returns when its end has been seen; it is then started again. */
  kill(): Promise<void>;
  /** Asks it to stop, insists after a while, and starts it again as `spec` says. Returns when the old one is gone. */
  restart(spec: ProcessSpec): Promise<void>;
  /** Asks it to stop, insists after a while, and returns when it is gone. It is not started again. */
  stop(): Promise<void>;
}

const firstPauseMs = 100;
const longestPauseMs = 5_000;
/** Having run this long, a process is well, and its next death starts the back-off afresh. */
const wellAfterMs = 10_000;
/** A process that has never been ready is given up after this many starts: it is wrong, not unlucky. */
const startsWithoutReady = 5;
const usualStopPatienceMs = 10_000;
const pollMs = 50;

/**
 * Starts a process and keeps it running: what dies is started again after a pause that doubles up to five seconds.
 * Given up, with the reason in the log and in `whenReady`, is what cannot be started at all, what ends with
 * `exitCodeForSettings`, and what dies five times without once having been ready.
 *
 * `onStart` is called with each new pid.
 */
export function supervise(first: ProcessSpec, log: Log, onStart: (pid: number) => void): SupervisedProcess {
  let spec = first;
  let current: ProcessRun | undefined;
  /** The run that was asked to make place for another. */
  let replaced: ProcessRun | undefined;
  let givenUp: Error | undefined;
  let everReady = false;
  const stopping = new AbortController();

  const pid = () => (current?.ended ? undefined : current?.child.pid);

  const isReady = async () => {
    if (givenUp !== undefined) throw givenUp;
    const run = current;
    if (run === undefined || run.ended) return false;
    if (!(await run.isReady())) return false;
    everReady = true;
    return true;
  };

  const watchReadiness = async (run: ProcessRun, again: boolean) => {
    while (!run.ended && !stopping.signal.aborted) {
      if (await isReady()) {
        if (again) log(spec.name, "is ready again");
        return;
      }
      await delay(pollMs);
    }
  };

  const keepRunning = async () => {
    let deaths = 0;
    let pauseMs = firstPauseMs;
    while (!stopping.signal.aborted) {
      await spec.prepare?.();
      if (stopping.signal.aborted) return;
      const run = startProcess(spec, log);
      current = run;
      const startedAt = performance.now();
      if (run.child.pid !== undefined) onStart(run.child.pid);
      watchReadiness(run, deaths > 0).catch(() => {});
      const how = await run.end;
      if (stopping.signal.aborted) return;
      if (replaced === run) continue;
      deaths += 1;
      if (how.hopeless) throw new Error(`${how.text}; it is not started again. ${run.lastLines()}`);
      if (!everReady && deaths >= startsWithoutReady) {
        throw new Error(
          `${how.text}, ${deaths} times without getting ready; it is not started again. ${run.lastLines()}`,
        );
      }
      if (performance.now() - startedAt > wellAfterMs) pauseMs = firstPauseMs;
      log(spec.name, `${how.text}; starting it again in ${pauseMs} ms`);
      await delay(pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    }
  };

  /** Asks a run to stop, insists after a while, and returns when it is gone. */
  const end = async (run: ProcessRun) => {
    if (run.ended || run.child.pid === undefined) return;
    const stopPatienceMs = spec.stopPatienceMs ?? usualStopPatienceMs;
    run.child.kill(spec.stopSignal ?? "SIGTERM");
    const insist = setTimeout(() => {
      log(spec.name, `has not stopped in ${stopPatienceMs} ms; killing it`);
      if (run.child.pid !== undefined) signal(run.child.pid, "SIGKILL");
    }, stopPatienceMs);
    await run.end;
    clearTimeout(insist);
  };

  const over = keepRunning().catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    givenUp = new Error(`${spec.name} ${reason}`.trim(), { cause: error });
    log(spec.name, reason);
  });

  return {
    name: spec.name,
    pid,
    isReady,
    async whenReady(signal) {
      while (!(await isReady())) await delay(pollMs, undefined, { signal });
    },
    async kill() {
      const run = current;
      if (run === undefined || run.ended || run.child.pid === undefined) return;
      signal(run.child.pid, "SIGKILL");
      await run.end;
    },
    async restart(next) {
      spec = next;
      replaced = current;
      if (current) await end(current);
    },
    async stop() {
      stopping.abort();
      if (current) await end(current);
      await over;
    },
  };
}
