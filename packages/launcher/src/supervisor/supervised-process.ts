import { setTimeout as delay } from "node:timers/promises";
import { signal } from "./process-identity.ts";
import { endRun, type ProcessRun, startProcess } from "./process-run.ts";
import type { Log, ProcessSpec } from "./process-spec.ts";
import { afterDeath, noDeaths } from "./restart-policy.ts";

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
  /**
   * Asks it to stop, insists after a while, and starts it again as `spec` says: at once, also where it paused after a
   * death or had been given up. Returns when the old one is gone.
   */
  restart(spec: ProcessSpec): Promise<void>;
  /** Asks it to stop, insists after a while, and returns when it is gone. It is not started again. */
  stop(): Promise<void>;
}

const pollMs = 50;

/** What is known of a supervised process at a moment. */
interface Supervision {
  readonly log: Log;
  readonly onStart: (pid: number) => void;
  readonly stopping: AbortController;
  spec: ProcessSpec;
  current: ProcessRun | undefined;
  /** The run that was asked to make way for another. */
  replaced: ProcessRun | undefined;
  /** Ends the pause before the next start. */
  hurry: AbortController;
  givenUp: Error | undefined;
  everReady: boolean;
}

/**
 * Starts a process and keeps it running: what dies is started again after a pause that doubles up to five seconds.
 * Given up, with the reason in the log and in `whenReady`, is what cannot be started at all, what ends with
 * `exitCodeForSettings`, and what dies five times without once having been ready.
 *
 * `onStart` is called with each new pid.
 */
export function supervise(spec: ProcessSpec, log: Log, onStart: (pid: number) => void): SupervisedProcess {
  const supervision: Supervision = {
    log,
    onStart,
    stopping: new AbortController(),
    spec,
    current: undefined,
    replaced: undefined,
    hurry: new AbortController(),
    givenUp: undefined,
    everReady: false,
  };
  const run = () => keepRunning(supervision).catch((error: unknown) => giveUp(supervision, error));
  let over = run();
  const end = async () => {
    if (supervision.current) await endRun(supervision.current, supervision.spec, log);
  };

  return {
    name: spec.name,
    pid: () => (supervision.current?.ended ? undefined : supervision.current?.child.pid),
    isReady: () => isReady(supervision),
    async whenReady(signal) {
      while (!(await isReady(supervision))) await delay(pollMs, undefined, { signal });
    },
    async kill() {
      const run = supervision.current;
      if (run === undefined || run.ended || run.child.pid === undefined) return;
      signal(run.child.pid, "SIGKILL");
      await run.end;
    },
    async restart(next) {
      supervision.spec = next;
      supervision.replaced = supervision.current;
      supervision.hurry.abort();
      supervision.hurry = new AbortController();
      await end();
      if (supervision.givenUp === undefined || supervision.stopping.signal.aborted) return;
      supervision.givenUp = undefined;
      over = run();
    },
    async stop() {
      supervision.stopping.abort();
      await end();
      await over;
    },
  };
}

async function isReady(supervision: Supervision): Promise<boolean> {
  if (supervision.givenUp !== undefined) throw supervision.givenUp;
  const run = supervision.current;
  if (run === undefined || run.ended) return false;
  if (!(await run.isReady())) return false;
  supervision.everReady = true;
  return true;
}

/** Notices when a run gets ready, and says so where it is not the first. */
async function watchReadiness(supervision: Supervision, run: ProcessRun, again: boolean): Promise<void> {
  while (!run.ended && !supervision.stopping.signal.aborted) {
    if (await isReady(supervision)) {
      if (again) supervision.log(supervision.spec.name, "is ready again");
      return;
    }
    await delay(pollMs);
  }
}

/** Ends when the process is stopped. Throws what it is given up for. */
async function keepRunning(supervision: Supervision): Promise<void> {
  const stopping = supervision.stopping.signal;
  let record = noDeaths;
  while (!stopping.aborted) {
    await supervision.spec.prepare?.();
    if (stopping.aborted) return;
    const run = startProcess(supervision.spec, supervision.log);
    supervision.current = run;
    const startedAt = performance.now();
    if (run.child.pid !== undefined) supervision.onStart(run.child.pid);
    watchReadiness(supervision, run, record.deaths > 0).catch(() => {});
    const end = await run.end;
    if (stopping.aborted) return;
    if (supervision.replaced === run) continue;
    const { everReady, spec, log } = supervision;
    const next = afterDeath(record, { run, end, livedMs: performance.now() - startedAt, everReady });
    record = next.record;
    log(spec.name, `${end.text}; starting it again in ${next.pauseMs} ms`);
    const awake = AbortSignal.any([stopping, supervision.hurry.signal]);
    await delay(next.pauseMs, undefined, { signal: awake }).catch(() => {});
  }
}

function giveUp(supervision: Supervision, error: unknown): void {
  const { log, spec } = supervision;
  const reason = error instanceof Error ? error.message : String(error);
  supervision.givenUp = new Error(`${spec.name} ${reason}`.trim(), { cause: error });
  log(spec.name, reason);
}
