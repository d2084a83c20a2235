import { isDeepStrictEqual } from "node:util";
import type { ProcessSpec } from "@carillon/launcher";
import type { ProcessGroup } from "./supervisor/process-group.ts";

/** The workers of a running platform. Whatever is asked of them is done one after another. */
export interface RunningWorkers {
  /**
   * Restarts those whose specs have changed, one after another: each is ready, or `readyPatienceMs` have passed (then
   * it rejects), before the next is stopped.
   */
  replace(newSpecs: readonly ProcessSpec[]): Promise<void>;
}

const readyPatienceMs = 60_000;

/** @param specs what the workers of the group were started with */
export function runningWorkers(group: ProcessGroup, specs: readonly ProcessSpec[]): RunningWorkers {
  let running = specs;
  let last: Promise<void> = Promise.resolve();

  const inTurn = (task: () => Promise<void>) => {
    last = last.catch(() => {}).then(task);
    return last;
  };

  const restart = async (spec: ProcessSpec) => {
    const worker = group.find(spec.name);
    await worker.restart(spec);
    await worker.whenReady(AbortSignal.timeout(readyPatienceMs));
    running = running.map((former) => (former.name === spec.name ? spec : former));
  };

  return {
    replace: (newSpecs) =>
      inTurn(async () => {
        for (const spec of newSpecs) {
          if (!running.some((former) => isDeepStrictEqual(former, spec))) await restart(spec);
        }
      }),
  };
}
