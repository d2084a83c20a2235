import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { exitCodeForSettings } from "@carillon/platform";
import { lowerPriority } from "./lower-priority.ts";
import { signal } from "./process-identity.ts";
import type { Log, ProcessSpec } from "./process-spec.ts";
import { answers } from "./readiness.ts";

/** One life of a process. */
export interface ProcessRun {
  readonly child: ChildProcess;
  /** How it ended: in words, and whether starting it again is of no use. */
  readonly end: Promise<ProcessEnd>;
  readonly ended: boolean;
  /** Whether it runs and is ready at this moment. */
  isReady(): Promise<boolean>;
  /** The last five lines that it printed, for a message; empty if there are none. */
  lastLines(): string;
}

export interface ProcessEnd {
  readonly text: string;
  /** Undefined where a signal ended it, or it could not be started. */
  readonly code: number | undefined;
  readonly hopeless: boolean;
}

const usualStopPatienceMs = 10_000;

/** Starts a process. It leads a group of its own, so that Ctrl-C reaches us alone and we stop all in order. */
export function startProcess(spec: ProcessSpec, log: Log): ProcessRun {
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

  const end = new Promise<ProcessEnd>((resolve) => {
    child.once("error", (error) => {
      ended = true;
      resolve({ text: `cannot be started: ${error.message}`, code: undefined, hopeless: true });
    });
    child.once("exit", async (code, signalName) => {
      ended = true;
      // Its last words may still be in the pipe, which a grandchild can hold open.
      await Promise.race([once(child, "close"), delay(200)]);
      const text = signalName === null ? `ended with exit code ${code}` : `was ended by ${signalName}`;
      resolve({ text, code: code ?? undefined, hopeless: code === exitCodeForSettings });
    });
  });
  return {
    child,
    end,
    get ended() {
      return ended;
    },
    async isReady() {
      if (ended) return false;
      const ready = spec.readiness.kind === "line" ? sawReadyLine : await answers(spec.readiness.url);
      // Another process may answer at that address while ours cannot get it.
      return ready && !ended;
    },
    lastLines: () => (tail.length === 0 ? "" : `It said last: ${tail.join(" / ")}`),
  };
}

/** Asks a run to stop as its spec says, insists after a while, and returns when it is gone. */
export async function endRun(run: ProcessRun, spec: ProcessSpec, log: Log): Promise<void> {
  if (run.ended || run.child.pid === undefined) return;
  const stopPatienceMs = spec.stopPatienceMs ?? usualStopPatienceMs;
  run.child.kill(spec.stopSignal ?? "SIGTERM");
  const insist = setTimeout(() => {
    log(spec.name, `has not stopped in ${stopPatienceMs} ms; killing it`);
    if (run.child.pid !== undefined) signal(run.child.pid, "SIGKILL");
  }, stopPatienceMs);
  await run.end;
  clearTimeout(insist);
}
