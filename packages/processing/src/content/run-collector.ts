import {
  type ContentStore,
  collectOrphans,
  contentGraceMs,
  keepTrying,
  type Logger,
  pause,
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
  const collect = async () => {
    const collected = await collectOrphans(content, references, new Date(), { graceMs: contentGraceMs });
    logger.info(collected, "content without a submission was collected");
  };
  await pause(firstAfterMs, signal);
  await keepTrying(collect, {
    signal,
    pauseMs: everyMs,
    failed: (error) => logger.warn({ err: error }, "content without a submission could not be collected"),
  });
}
