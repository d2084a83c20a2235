import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { type Logger, type Probes, probes } from "@carillon/platform";

/** What a worker that answers nobody is made of. */
export interface BackgroundWork extends Probes {
  readonly logger: Logger;
  /** Works until `signal` aborts; what is under way then is finished. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** Lets go of everything. */
  readonly close: () => Promise<unknown>;
}

const readyTimeoutMs = 2_000;
const stopTimeoutMs = 10_000;

/**
 * Begins the work, and makes a module's default export for `deno serve` that answers the probes. SIGTERM and SIGINT
 * end the process once the work has come to rest.
 */
export function backgroundWorker({ logger, run, close, ready, ...parts }: BackgroundWork) {
  const controller = new AbortController();
  const answer = probes({
    ...parts,
    ready: () => Promise.race([ready(), late(readyTimeoutMs)]),
  });
  const done = run(controller.signal).catch((error: unknown) => {
    logger.fatal({ err: error }, "the work ended by itself");
    process.exit(1);
  });

  const stop = async () => {
    if (controller.signal.aborted) return;
    controller.abort();
    try {
      await Promise.race([done.then(close), late(stopTimeoutMs)]);
      logger.info("stopped");
      process.exit(0);
    } catch (error) {
      // What was not finished is done again after the next start.
      logger.error({ err: error }, "did not stop cleanly");
      process.exit(1);
    }
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);

  return {
    fetch: async (request: Request): Promise<Response> =>
      (await answer(request)) ??
      new Response("This worker has /healthz, /readyz and /metrics.\n", { status: 404 }),
  };
}

async function late(milliseconds: number): Promise<never> {
  await delay(milliseconds, undefined, { ref: false });
  throw new Error(`no answer within ${milliseconds} ms`);
}
