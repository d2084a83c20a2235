/** So many places to work at, and a line before them. */
export interface Semaphore {
  /** Waits for a place: who asked first gets it first. */
  take(): Promise<void>;
  free(): void;
  /** Resolves when every place is free and nobody is in the line. */
  idle(): Promise<void>;
}

/** Makes `count` free places. */
export function createSemaphore(count: number): Semaphore {
  let taken = 0;
  const line: (() => void)[] = [];
  let leaving: (() => void)[] = [];
  return {
    async take() {
      if (taken === count) return new Promise((resolve) => line.push(resolve));
      taken++;
    },
    free() {
      const next = line.shift();
      if (next) return next();
      taken--;
      if (taken > 0) return;
      for (const leave of leaving) leave();
      leaving = [];
    },
    async idle() {
      if (taken > 0) await new Promise<void>((resolve) => leaving.push(resolve));
    },
  };
}
