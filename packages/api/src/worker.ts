import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { type Logger, probes, type Registry } from "@carillon/platform";
import { errorResponse } from "./errors.ts";

/** What a worker is made of. */
export interface WorkerParts {
  readonly log: Logger;
  readonly metrics: Registry;
  /** Resolves if everything that the worker needs answers. */
  readonly ready: () => Promise<unknown>;
  /** Answers everything but the probes. */
  readonly fetch: (request: Request) => Response | Promise<Response>;
  /** Lets go of everything; what was under way has been answered. */
  readonly close: () => Promise<unknown>;
}

const readyTimeoutMs = 2_000;
const stopTimeoutMs = 10_000;
/** Neither runtime tells a module when an answer has left; this is ample for one that is ready. */
const lastAnswerMs = 50;

/**
 * Makes a module's default export for `deno serve` and `serve-node.ts`. On SIGTERM and SIGINT it answers what is under
 * way, refuses what is new as `unavailable`, lets go and ends the process.
 */
export function worker({ log, metrics, ready, fetch, close }: WorkerParts) {
  let underWay = 0;
  let stopping = false;
  let idle = () => {};

  const probe = probes({
    metrics,
    async ready() {
      if (stopping) throw new Error("stopping");
      await Promise.race([ready(), late(readyTimeoutMs)]);
    },
  });

  const stop = async () => {
    if (stopping) return;
    stopping = true;
    try {
      await Promise.race([settle(), late(stopTimeoutMs)]);
      log.info("stopped");
      process.exit(0);
    } catch (error) {
      log.error({ err: error }, "did not stop cleanly");
      process.exit(1);
    }
  };
  const settle = async () => {
    if (underWay > 0) await new Promise<void>((resolve) => (idle = resolve));
    await Promise.all([close(), delay(lastAnswerMs)]);
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);

  return {
    async fetch(request: Request): Promise<Response> {
      const probed = await probe(request);
      if (probed) return probed;
      if (stopping) return errorResponse(isStopping);
      underWay++;
      try {
        return await fetch(request);
      } finally {
        underWay--;
        if (underWay === 0) idle();
      }
    },
  };
}

const isStopping = { code: "unavailable", message: "This worker is stopping: try again." } as const;

async function late(milliseconds: number): Promise<never> {
  await delay(milliseconds, undefined, { ref: false });
  throw new Error(`no answer within ${milliseconds} ms`);
}
