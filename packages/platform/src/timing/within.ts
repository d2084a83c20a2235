import { setTimeout as delay } from "node:timers/promises";

/**
 * What `result` gives, if it comes in time. Else what `late` gives or throws, which is an error that says so where it is
 * left out; `result` then goes on unheard.
 *
 * @example
 * ```ts
 * const answer = await within(500, fetch("http://127.0.0.1:7001/readyz"), () => undefined);
 * ```
 */
export async function within<Result, Late = never>(
  milliseconds: number,
  result: Promise<Result>,
  late: () => Late = () => {
    throw new Error(`no answer within ${milliseconds} ms`);
  },
): Promise<Result | Late> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  try {
    return await Promise.race([result, timeUp.then(late)]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves after so many milliseconds, or at once when `signal` aborts. */
export const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  delay(milliseconds, undefined, { signal }).catch(() => {});
