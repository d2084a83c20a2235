/** What runs a worker's module. The same module runs on both. */
export type Runtime = "deno" | "node";

/** How a worker is started, and all that it may touch: the same in production and in tests. It stands beside the worker. */
export interface WorkerManifest<Setting extends string = string> {
  /** The module's path, in Deno's style: `export default { fetch }`. */
  readonly module: string;
  /** What runs it in production. */
  readonly runtime: Runtime;
  /**
   * The settings that it reads, and nothing else of the environment. The addresses among their values are the servers
   * that it may reach.
   */
  readonly settings: readonly Setting[];
  /** Whether its work can wait while somebody waits for another worker's. */
  readonly background?: boolean;
  /** Whether it loads a native addon, which no sandbox holds. */
  readonly native?: boolean;
  /** The threads that it starts, at a lower priority than its own. */
  readonly threads?: {
    /** The files that they consist of, which it has to read. */
    readonly modules: readonly string[];
    /** How many; as many as there are cores if left out. */
    readonly count?: number;
  };
}
