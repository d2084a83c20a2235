import { setTimeout as delay } from "node:timers/promises";
import { type Log, type ProcessSpec, type SupervisedProcess, supervise } from "@carillon/launcher";

const readyPatienceMs = 60_000;

/** Processes that are started one group after another and stopped in the opposite order. */
export interface ProcessGroup {
  /**
   * Starts these side by side, and returns when all are ready. Rejects with the signal's reason, and if one is given up,
   * unless that is `tolerated`: then it returns when each has been one or the other.
   */
  start(specs: readonly ProcessSpec[], signal: AbortSignal, tolerated?: boolean): Promise<void>;
  /** Throws if there is none of this name. */
  find(name: string): SupervisedProcess;
  /** Of those that run at this moment, by name. */
  pids(): Readonly<Record<string, number>>;
  /** Waits until all are ready at the same time. Rejects after a minute, naming those that are not. */
  waitReady(): Promise<void>;
  /** The names of those that are not ready at this moment. */
  notReady(): Promise<readonly string[]>;
  /** Stops all, the last started first. */
  stop(): Promise<void>;
}

/** An empty group. `onStart` is called with each new pid. */
export function processGroup(log: Log, onStart: (name: string, pid: number) => void): ProcessGroup {
  const processes: SupervisedProcess[] = [];

  const notReady = async () => {
    const ready = await Promise.all(processes.map((process) => process.isReady().catch(() => false)));
    return processes.filter((_, index) => !ready[index]).map(({ name }) => name);
  };

  return {
    async start(specs, signal, tolerated = false) {
      const started = specs.map((spec) => supervise(spec, log, (pid) => onStart(spec.name, pid)));
      processes.push(...started);
      await Promise.all(
        started.map((process) =>
          process.whenReady(signal).catch((error: unknown) => {
            if (!tolerated || signal.aborted) throw error;
          }),
        ),
      );
    },
    find(name) {
      const process = processes.find((candidate) => candidate.name === name);
      if (process === undefined) throw new Error(`there is no process ${name}`);
      return process;
    },
    pids: () =>
      Object.fromEntries(
        processes.flatMap((process) => {
          const pid = process.pid();
          return pid === undefined ? [] : [[process.name, pid]];
        }),
      ),
    waitReady: () => untilAllReady(processes),
    notReady,
    async stop() {
      for (const process of processes.toReversed()) await process.stop();
    },
  };
}

async function untilAllReady(processes: readonly SupervisedProcess[]): Promise<void> {
  const deadline = performance.now() + readyPatienceMs;
  for (;;) {
    const ready = await Promise.all(processes.map((process) => process.isReady()));
    if (ready.every(Boolean)) return;
    if (performance.now() > deadline) {
      const late = processes.filter((_, index) => !ready[index]).map((process) => process.name);
      throw new Error(`not ready within a minute: ${late.join(", ")}`);
    }
    await delay(50);
  }
}
