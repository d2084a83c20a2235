import type { AppRouter } from "@carillon/api";
import { TRPCClientError } from "@trpc/client";
import { backOffMs, spread } from "../http/retry-when-busy.ts";

export interface PatienceOptions {
  /** For how long it goes on while nothing gets through, in milliseconds. */
  readonly patienceMs?: number;
  readonly signal?: AbortSignal;
}

const usualPatienceMs = 10 * 60_000;
/** After these a client asks how far the upload is, and goes on. */
const passing = ["unavailable", "upload_offset_mismatch", "content_missing"];

/** How long a client goes on: anew with every bit that gets through. */
export function patienceOf({ patienceMs = usualPatienceMs, signal }: PatienceOptions) {
  let deadline = performance.now() + patienceMs;
  let failures = 0;
  return {
    renew() {
      deadline = performance.now() + patienceMs;
      failures = 0;
    },
    /** Waits after a failure that may pass; throws any other, and the last one when patience ends. */
    async pauseAfter(error: unknown): Promise<void> {
      signal?.throwIfAborted();
      if (!(error instanceof TRPCClientError)) throw error;
      const { data } = error as TRPCClientError<AppRouter>;
      const asksToWait = data?.errorCode === "busy" && data.retryAfterMs !== undefined;
      if (data && !asksToWait && !passing.includes(data.errorCode)) throw error;
      const ms = asksToWait ? spread(data.retryAfterMs ?? 0) : backOffMs(++failures);
      if (performance.now() + ms > deadline) throw error;
      await pause(ms, signal);
    },
  };
}

/** Waits, or throws the signal's reason as soon as it is aborted. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  if (ms <= 0) return;
  let stop = () => {};
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", stop, { once: true });
    // An upload pauses often under one signal.
  }).finally(() => signal?.removeEventListener("abort", stop));
}
