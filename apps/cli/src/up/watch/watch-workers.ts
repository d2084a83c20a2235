import { join } from "node:path";
import { packagesBehind } from "./packages-behind.ts";
import { type RestartChangedOptions, restartChanged } from "./restart-changed.ts";
import { watchSources } from "./watch-sources.ts";

export interface WatchWorkersOptions extends Omit<RestartChangedOptions, "packages"> {
  /** The path of each worker's module, by the worker's name. */
  readonly modules: ReadonlyMap<string, string>;
}

/** Restarts each worker whenever a source changes in its package, or in one that it is built on. Returns once it watches. */
export async function watchWorkers({ modules, ...options }: WatchWorkersOptions): Promise<void> {
  const packages = new Map([...modules].map(([name, module]) => [name, packagesBehind(module)]));
  const folders = new Set([...packages.values()].flatMap((behind) => [...behind]));
  await watchSources(
    [...folders].map((folder) => join(folder, "src")),
    {
      changed: restartChanged({ ...options, packages }),
      failed: (error) => options.log("carillon", `not all sources are watched any longer: ${error}`),
      signal: options.signal,
    },
  );
}
