import { setTimeout as delay } from "node:timers/promises";

/** Longer than a busy machine needs for anything that a test waits for. */
const patienceMs = 60_000;

/** Waits until `condition` holds; rejects with `what` if it does not come to that. An error counts as "not yet". */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = patienceMs,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  let failure: unknown;
  while (performance.now() < deadline) {
    try {
      if (await condition()) return;
      failure = undefined;
    } catch (error) {
      failure = error;
    }
    await delay(10);
  }
  throw new Error(`never: ${what}`, { cause: failure });
}

/** A bound on what a test waits for. */
export const soon = (): AbortSignal => AbortSignal.timeout(patienceMs);
