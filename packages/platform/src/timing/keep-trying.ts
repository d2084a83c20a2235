import { pause } from "./within.ts";

export interface KeepTryingOptions {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** How long to wait after a try has ended, in milliseconds. */
  readonly pauseMs: number;
  /** Is told why a try failed; not of one that was aborted. */
  readonly failed?: (error: unknown) => void;
}

/**
 * Does what should never end: where it ends or fails it begins again after a pause, for ever. When `signal` aborts, it
 * resolves as soon as the try that is under way has ended. It never rejects.
 *
 * @example
 * ```ts
 * const { signal } = new AbortController();
 * await keepTrying(() => fetch("http://127.0.0.1:7001/work"), { signal, pauseMs: 250 });
 * ```
 */
export async function keepTrying(
  work: () => Promise<unknown>,
  { signal, pauseMs, failed = () => {} }: KeepTryingOptions,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await work();
    } catch (error) {
      if (signal.aborted) return;
      failed(error);
    }
    await pause(pauseMs, signal);
  }
}
