import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { type ProcessRun, type ProcessSpec, signal, startProcess } from "@carillon/launcher";

/** A process of the platform that a test has to itself. Nobody starts it again when it ends. */
export interface TestProcess {
  /** What it has printed, of all its lives. */
  output(): string;
  running(): boolean;
  /** Resolves when it is ready. Rejects with what it printed if it ends before that, or takes too long. */
  whenReady(): Promise<void>;
  /** Its exit code once it has ended; null where a signal ended it. */
  readonly exited: Promise<number | null>;
  /** Asks it to stop as the platform does, and gives its exit code. */
  stop(): Promise<number | null>;
  /** Ends it as a power cut does. */
  kill9(): Promise<number | null>;
  /** Starts it again, on the same port and folder, and waits until it is ready; stops it first if it runs. */
  restart(): Promise<void>;
}

const startPatienceMs = 120_000;
const startAttempts = 100;

// A test run that is ended leaves no process behind. They lead groups of their own, so that Ctrl-C does not reach them.
const living = new Set<ProcessRun>();
const killAll = () => {
  for (const { child } of living) if (child.pid !== undefined) signal(child.pid, "SIGKILL");
};
process.once("exit", killAll);
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(name, () => {
    killAll();
    // What the signal does by itself, unless somebody else here has plans for it.
    if (process.listenerCount(name) === 0) process.kill(process.pid, name);
  });
}

/** Starts a process as the platform would. It may end at once: see `whenReady` and `exited`. */
export async function startTestProcess(spec: ProcessSpec): Promise<TestProcess> {
  let printed = "";
  const launch = async () => {
    await spec.prepare?.();
    const started = startProcess(spec, (_, line) => {
      printed += `${line}\n`;
    });
    living.add(started);
    started.end.then(() => living.delete(started));
    return started;
  };
  let run = await launch();

  const end = async (how: NodeJS.Signals) => {
    if (!run.ended && run.child.pid !== undefined) signal(run.child.pid, how);
    return (await run.end).code ?? null;
  };
  const whenReady = async () => {
    const deadline = performance.now() + startPatienceMs;
    while (!(await run.isReady())) {
      if (run.ended) throw new Error(`${spec.name} ${(await run.end).text}: ${printed}`);
      if (performance.now() > deadline) {
        await end("SIGKILL");
        throw new Error(`${spec.name} is not ready: ${printed}`);
      }
      await delay(10);
    }
  };
  return {
    output: () => printed,
    running: () => !run.ended,
    whenReady,
    get exited() {
      return run.end.then(({ code }) => code ?? null);
    },
    stop: () => end(spec.stopSignal ?? "SIGTERM"),
    kill9: () => end("SIGKILL"),
    async restart() {
      await end(spec.stopSignal ?? "SIGTERM");
      // After a kill, the system may need a moment to give back what the dead process held.
      for (let attempt = 1; ; attempt++) {
        run = await launch();
        try {
          return await whenReady();
        } catch (error) {
          if (attempt === startAttempts) throw error;
          await delay(100);
        }
      }
    },
  };
}

/** Starts a process and resolves when it is ready. */
export async function startReady(spec: ProcessSpec): Promise<TestProcess> {
  const started = await startTestProcess(spec);
  await started.whenReady();
  return started;
}
