import { isDeepStrictEqual } from "node:util";
import type { ProcessSpec } from "@carillon/launcher";
import type { ProcessGroup } from "./supervisor/process-group.ts";

/** The workers of a running platform. Whatever is asked of them is done one after another. */
export interface RunningWorkers {
  /** Starts all side by side, as `ProcessGroup.start`. */
  start(signal: AbortSignal, tolerated: boolean): Promise<void>;
  /** Restarts one with the spec that it has. Rejects if it is not ready after a minute, and when the signal aborts. */
  restart(name: string, signal: AbortSignal): Promise<void>;
  /**
   * Restarts those whose specs have changed, one after another: each is ready before the next is stopped. Rejects if
   * one is not ready after a minute.
   */
  replace(newSpecs: readonly ProcessSpec[]): Promise<void>;
}

const readyPatienceMs = 60_000;

/** @param specs what the workers are started with, one for each */
export function runningWorkers(group: ProcessGroup, specs: readonly ProcessSpec[]): RunningWorkers {
  let running = specs;
  let last: Promise<void> = Promise.resolve();

  const inTurn = (task: () => Promise<void>) => {
    last = last.catch(() => {}).then(task);
    return last;
  };

  const restart = async (spec: ProcessSpec, signal?: AbortSignal) => {
    signal?.throwIfAborted();
    const worker = group.find(spec.name);
    await worker.restart(spec);
    const patience = AbortSignal.timeout(readyPatienceMs);
    await worker.whenReady(signal ? AbortSignal.any([patience, signal]) : patience);
    running = running.map((former) => (former.name === spec.name ? spec : former));
  };

  return {
    start: (signal, tolerated) => inTurn(() => group.start(specs, signal, tolerated)),
    restart: (name, signal) =>
      inTurn(async () => {
        const spec = running.find((candidate) => candidate.name === name);
        if (spec === undefined) throw new Error(`there is no worker ${name}`);
        await restart(spec, signal);
      }),
    replace: (newSpecs) =>
      inTurn(async () => {
        for (const spec of newSpecs) {
          if (!running.some((former) => isDeepStrictEqual(former, spec))) await restart(spec);
        }
      }),
  };
}
