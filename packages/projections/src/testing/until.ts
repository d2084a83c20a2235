import { setTimeout as delay } from "node:timers/promises";

const patienceMs = 60_000;

/** Waits until `condition` holds; rejects with `what` if it does not come to that. An error counts as "not yet". */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + patienceMs;
  let failure: unknown;
  while (Date.now() < deadline) {
    try {
      if (await condition()) return;
    } catch (error) {
      failure = error;
    }
    await delay(10);
  }
  throw new Error(`never: ${what}`, { cause: failure });
}
