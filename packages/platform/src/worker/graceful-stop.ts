import process from "node:process";
import { within } from "../timing/within.ts";
import type { Logger } from "./logger.ts";

const stopTimeoutMs = 10_000;

/**
 * On the first SIGTERM or SIGINT brings the work to rest and ends the process: with 0, or with 1 where `settle` fails or
 * takes more than ten seconds. What was not finished then is done again after the next start.
 */
export function stopOnSignal(logger: Logger, settle: () => Promise<unknown>): void {
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    try {
      await within(stopTimeoutMs, settle());
      logger.info("stopped");
      process.exit(0);
    } catch (error) {
      logger.error({ err: error }, "did not stop cleanly");
      process.exit(1);
    }
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}
