import { relative, resolve, sep } from "node:path";
import type { Log } from "@carillon/launcher";

export interface RestartChangedOptions {
  /** The folders of the packages that each worker runs with. */
  readonly packages: ReadonlyMap<string, ReadonlySet<string>>;
  /** Restarts a worker, and returns when it is ready. Rejects if it does not get ready, and when the signal aborts. */
  readonly restart: (name: string, signal: AbortSignal) => Promise<void>;
  readonly log: Log;
  /** Restarts nothing any longer. */
  readonly signal: AbortSignal;
}

/**
 * Takes the paths of changed sources, and restarts the workers that run with them, one after another. A worker that does
 * not get ready is tried again at the next change, whatever that is, and those that were to come after it too: until
 * then they run what they have. A change that concerns the worker in hand does not wait for it to get ready.
 */
export function restartChanged(options: RestartChangedOptions): (files: readonly string[]) => void {
  const { packages, restart, log } = options;
  /** The file for which each worker has to be restarted. */
  const due = new Map<string, string>();
  /** The worker in hand, and what ends the wait for it. */
  let inHand: { readonly name: string; readonly change: AbortController } | undefined;
  let restarting = false;

  const restartDue = async () => {
    for (const [name, file] of due) {
      if (options.signal.aborted) return;
      due.delete(name);
      const change = new AbortController();
      inHand = { name, change };
      try {
        await restart(name, AbortSignal.any([change.signal, options.signal]));
        log("carillon", `restarted ${name} after ${file}`);
      } catch (error) {
        if (!due.has(name)) due.set(name, file);
        if (change.signal.aborted || options.signal.aborted) continue;
        log("carillon", `${name} is not ready after ${file}; trying again after the next change: ${error}`);
        return;
      }
    }
  };

  return (files) => {
    for (const file of files) {
      for (const [name, folders] of packages) {
        const folder = folders.values().find((candidate) => file.startsWith(candidate + sep));
        if (folder !== undefined) due.set(name, relative(resolve(folder, "../.."), file));
      }
    }
    if (inHand && due.has(inHand.name)) inHand.change.abort();
    if (restarting) return;
    restarting = true;
    restartDue().finally(() => {
      restarting = false;
    });
  };
}
