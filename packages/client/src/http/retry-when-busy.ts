import type { AppRouter } from "@carillon/api";
import { type Operation, retryLink, TRPCClientError, type TRPCLink } from "@trpc/client";
import { type Observable, observable } from "@trpc/server/observable";
import { isRepeatable } from "./repeatable.ts";

/** A pause before a call is sent again. */
export interface Wait {
  /** How long, in milliseconds. */
  readonly ms: number;
  /** The place in the queue that the service gave; null where it could not be reached. */
  readonly place: number | null;
}

export interface RetryWhenBusyOptions {
  /** For how long after its first try a call is sent again, in milliseconds. */
  readonly patienceMs: number;
  /** Told of every pause, so that a page can show it. */
  readonly onWait?: ((wait: Wait) => void) | undefined;
}

/** How much later than asked a client tries again at most, as a share of the pause: clients that were told the same spread. */
const jitter = 0.25;
/** And in milliseconds: the service gives each client a time of its own, and one that nobody keeps is idle time. */
const longestJitterMs = 1_000;
const firstBackOffMs = 200;
const longestBackOffMs = 5_000;

/**
 * A link that waits and sends the call again: where the service is `busy`, as long as it says; where the service is
 * `unavailable` or the connection broke, if that call may be repeated. Every other error is the caller's at once, and so
 * is the last one when patience ends.
 *
 * @example
 * ```ts
 * import type { AppRouter } from "@carillon/api";
 * import { createTRPCClient, httpLink } from "@trpc/client";
 *
 * const busy = retryWhenBusy({ patienceMs: 120_000, onWait: ({ ms }) => console.log(`in ${ms} ms`) });
 * const client = createTRPCClient<AppRouter>({ links: [busy, httpLink({ url: "http://127.0.0.1:7000/trpc" })] });
 * ```
 */
export function retryWhenBusy({ patienceMs, onWait }: RetryWhenBusyOptions): TRPCLink<AppRouter> {
  return (runtime) => (call) => {
    const deadline = performance.now() + patienceMs;
    let pauseMs = 0;
    const retrying = retryLink<AppRouter>({
      retry({ op, error, attempts }) {
        const wait = waitAfter(op, error, attempts);
        if (!wait || performance.now() + wait.ms > deadline) return false;
        pauseMs = wait.ms;
        onWait?.(wait);
        return true;
      },
      retryDelayMs: () => pauseMs,
    });
    return untilAborted(call.op.signal, retrying(runtime)(call));
  };
}

/** What a call gives until it is aborted, which ends a pause too. */
function untilAborted<Value>(
  signal: Operation["signal"],
  results: Observable<Value, TRPCClientError<AppRouter>>,
): Observable<Value, TRPCClientError<AppRouter>> {
  return observable((observer) => {
    const subscription = results.subscribe(observer);
    const leave = () => {
      subscription.unsubscribe();
      observer.error(TRPCClientError.from(signal?.reason));
    };
    signal?.addEventListener("abort", leave, { once: true });
    return () => {
      signal?.removeEventListener("abort", leave);
      subscription.unsubscribe();
    };
  });
}

/** How long to wait before a call is sent again; undefined where that would not be right. */
function waitAfter(op: Operation, { data }: TRPCClientError<AppRouter>, attempts: number): Wait | undefined {
  const { retryAfterMs, place = null } = data ?? {};
  if (data?.errorCode === "busy" && retryAfterMs !== undefined) {
    return { ms: spread(retryAfterMs), place };
  }
  const unknownEnd = !data || data.errorCode === "unavailable";
  if (!unknownEnd || !isRepeatable(op)) return undefined;
  return { ms: backOffMs(attempts), place };
}

/** When a client tries again that was asked to in `ms`, in milliseconds. */
export const spread = (ms: number): number => ms + Math.min(ms * jitter, longestJitterMs) * Math.random();

/** How long to wait after so many tries of which nobody knows what became of them, in milliseconds. */
export const backOffMs = (attempts: number): number =>
  Math.min(firstBackOffMs * 2 ** (attempts - 1), longestBackOffMs) * (0.5 + 0.5 * Math.random());
