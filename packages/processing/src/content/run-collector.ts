import { setTimeout as delay } from "node:timers/promises";
import {
  type ContentStore,
  collectOrphans,
  contentGraceMs,
  type Logger,
  type References,
} from "@carillon/platform";

/** After a start; everybody has other things to do then. */
const firstAfterMs = 60_000;
const everyMs = 3_600_000;

/** Deletes content that no submission refers to, every hour until `signal` aborts. */
export async function runCollector(
  content: ContentStore,
  references: References,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const pause = (ms: number) => delay(ms, undefined, { signal }).catch(() => {});
  for (await pause(firstAfterMs); !signal.aborted; await pause(everyMs)) {
    try {
      const collected = await collectOrphans(content, references, new Date(), { graceMs: contentGraceMs });
      logger.info(collected, "content without a submission was collected");
    } catch (error) {
      logger.warn({ err: error }, "content without a submission could not be collected");
    }
  }
}
