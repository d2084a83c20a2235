import { once } from "node:events";
import { watch } from "chokidar";

/** A change of branch touches many files: this long after the last one, all are there. */
const quietMs = 200;

const isSource = (file: string) => file.endsWith(".ts") && !/\.test(-d)?\.ts$/.test(file);

export interface WatchSourcesOptions {
  /** Takes the paths of all sources that change together. */
  readonly changed: (files: readonly string[]) => void;
  /** Told where the system refuses to watch any longer. */
  readonly failed: (error: unknown) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * Watches for sources that are written, added or removed in these folders and below, and returns once it does. Tests
 * are not sources. Rejects if the folders cannot be watched, and with the signal's reason.
 *
 * Not `fs.watch`: with `recursive` it loses a file on Linux that was replaced, as most editors save it (Node 24).
 */
export async function watchSources(
  folders: readonly string[],
  { changed, failed, signal }: WatchSourcesOptions,
): Promise<void> {
  const files = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  const tell = () => {
    const together = [...files];
    files.clear();
    changed(together);
  };

  const watcher = watch([...folders], { ignoreInitial: true });
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    watcher.close().catch(failed);
  });
  await once(watcher, "ready", { signal });
  watcher.on("error", failed);
  watcher.on("all", (_, file) => {
    if (!isSource(file) || signal.aborted) return;
    files.add(file);
    clearTimeout(timer);
    timer = setTimeout(tell, quietMs);
  });
}
