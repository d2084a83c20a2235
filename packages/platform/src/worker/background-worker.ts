import process from "node:process";
import { within } from "../timing/within.ts";
import { stopOnSignal } from "./graceful-stop.ts";
import type { Logger } from "./logger.ts";
import { type Probes, probes } from "./probes.ts";

/** What a worker without clients is made of. */
export interface BackgroundWork extends Probes {
  readonly logger: Logger;
  /** Works until `signal` aborts; what is under way then is finished. */
  readonly run: (signal: AbortSignal) => Promise<unknown>;
  /** Lets go of everything. */
  readonly close: () => Promise<unknown>;
}

const readyTimeoutMs = 2_000;

/**
 * Begins the work, and makes a module's default export for `deno serve` that answers the probes. SIGTERM and SIGINT
 * end the process once the work has come to rest.
 */
export function backgroundWorker({ logger, run, close, ready, ...rest }: BackgroundWork) {
  const controller = new AbortController();
  const answer = probes({
    ...rest,
    ready: () => within(readyTimeoutMs, ready()),
  });
  const done = run(controller.signal).catch((error: unknown) => {
    logger.fatal({ err: error }, "the work ended by itself");
    process.exit(1);
  });

  stopOnSignal(logger, () => {
    controller.abort();
    return done.then(close);
  });

  return {
    fetch: async (request: Request): Promise<Response> =>
      (await answer(request)) ??
      new Response("This worker has /healthz, /readyz and /metrics.\n", { status: 404 }),
  };
}
