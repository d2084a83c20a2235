/** Something that runs in this process until it is stopped. */
export interface Running {
  stop(): Promise<void>;
}

/** What runs in this process, so that all of it can be stopped. */
export interface RunningSet {
  /** Runs something until it, or everything, is stopped. */
  run(work: (signal: AbortSignal) => Promise<void>): Running;
  stop(): Promise<void>;
}

export function runningSet(): RunningSet {
  const running = new Set<Running>();
  return {
    run(work) {
      const controller = new AbortController();
      const ended = work(controller.signal);
      const one: Running = {
        async stop() {
          running.delete(one);
          controller.abort();
          await ended;
        },
      };
      running.add(one);
      return one;
    },
    async stop() {
      for (const one of running) await one.stop();
    },
  };
}
