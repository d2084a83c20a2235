import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { exitCodeForSettings } from "@carillon/platform";
import { lowerPriority } from "./lower-priority.ts";
import { signal } from "./process-identity.ts";
import { answers, type Readiness } from "./readiness.ts";

/** One process of the platform, as data. */
export interface ProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Its whole environment: nothing of ours comes along. */
  readonly env: Readonly<Record<string, string>>;
  readonly readiness: Readiness;
  /** The user to run as, if not ours. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** What asks it to stop; SIGTERM if left out. */
  readonly stopSignal?: NodeJS.Signals;
  /** How long it may take to stop before it is killed; ten seconds if left out. */
  readonly stopPatienceMs?: number;
  /** Whether others go first wherever processors are short. */
  readonly background?: boolean;
  /** Runs before every start, also before a restart. */
  readonly prepare?: () => Promise<void>;
}

/** Takes one line of output (or of our own about it) with the process's name. */
export type Log = (name: string, line: string) => void;

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
  /** Asks it to stop, insists after a while, and returns when it is gone. It does not come back. */
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
  let current: Run | undefined;
  /** The run that was asked to make place for another. */
  let replaced: Run | undefined;
  let givenUp: Error | undefined;
  let everReady = false;
  const stopping = new AbortController();

  const pid = () => (current?.ended ? undefined : current?.child.pid);

  const isReady = async () => {
    if (givenUp !== undefined) throw givenUp;
    const run = current;
    if (run === undefined || run.ended) return false;
    const ready = spec.readiness.kind === "line" ? run.sawReadyLine : await answers(spec.readiness.url);
    // Another process may answer at that address while ours cannot get it.
    if (!ready || run.ended) return false;
    everReady = true;
    return true;
  };

  const watchReadiness = async (run: Run, again: boolean) => {
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
      const run = start(spec, log);
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
  const end = async (run: Run) => {
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

interface Run {
  readonly child: ChildProcess;
  readonly end: Promise<{ readonly text: string; readonly hopeless: boolean }>;
  readonly ended: boolean;
  readonly sawReadyLine: boolean;
  lastLines(): string;
}

/** One life of the process. It leads a group of its own, so that Ctrl-C reaches us alone and we stop all in order. */
function start(spec: ProcessSpec, log: Log): Run {
  const child = spawn(spec.command, spec.args, {
    env: spec.env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    ...spec.user,
  });
  if (spec.background && child.pid !== undefined) lowerPriority(child.pid);
  const tail: string[] = [];
  let sawReadyLine = false;
  let ended = false;
  const read = (stream: Readable) =>
    createInterface({ input: stream }).on("line", (line) => {
      if (spec.readiness.kind === "line" && spec.readiness.pattern.test(line)) sawReadyLine = true;
      tail.push(line);
      if (tail.length > 5) tail.shift();
      log(spec.name, line);
    });
  read(child.stdout);
  read(child.stderr);

  const end = new Promise<{ text: string; hopeless: boolean }>((resolve) => {
    child.once("error", (error) => {
      ended = true;
      resolve({ text: `cannot be started: ${error.message}`, hopeless: true });
    });
    child.once("exit", async (code, signalName) => {
      ended = true;
      // Its last words may still be in the pipe, which a grandchild can hold open.
      await Promise.race([once(child, "close"), delay(200)]);
      const text = signalName === null ? `ended with exit code ${code}` : `was ended by ${signalName}`;
      resolve({ text, hopeless: code === exitCodeForSettings });
    });
  });
  return {
    child,
    end,
    get ended() {
      return ended;
    },
    get sawReadyLine() {
      return sawReadyLine;
    },
    lastLines: () => (tail.length === 0 ? "" : `It said last: ${tail.join(" / ")}`),
  };
}
