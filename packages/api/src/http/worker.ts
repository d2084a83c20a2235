import { setTimeout as delay } from "node:timers/promises";
import { type Logger, probes, type Registry, stopOnSignal, within } from "@carillon/platform";
import { errorResponse } from "./errors.ts";

/** What a worker is made of. */
export interface WorkerDependencies {
  readonly log: Logger;
  readonly metrics: Registry;
  /** Resolves if everything that the worker needs answers. */
  readonly ready: () => Promise<unknown>;
  /** What an operator should know of it all the same, one line each. */
  readonly notes?: () => readonly string[];
  /** Answers everything but the probes. */
  readonly fetch: (request: Request) => Response | Promise<Response>;
  /** Lets go of everything; what was under way has been answered. */
  readonly close: () => Promise<unknown>;
}

const readyTimeoutMs = 2_000;
/** Neither runtime tells a module when an answer has left; this is ample for one that is ready. */
const lastAnswerMs = 50;

/**
 * Makes a module's default export for `deno serve` and `serve-node.ts`. On SIGTERM and SIGINT it answers what is under
 * way, refuses what is new as `unavailable`, lets go and ends the process.
 */
export function worker({ log, metrics, ready, notes, fetch, close }: WorkerDependencies) {
  let underWay = 0;
  let stopping = false;
  let idle = () => {};

  const probe = probes({
    metrics,
    ...(notes && { notes }),
    async ready() {
      if (stopping) throw new Error("stopping");
      await within(readyTimeoutMs, ready());
    },
  });

  stopOnSignal(log, async () => {
    stopping = true;
    if (underWay > 0) await new Promise<void>((resolve) => (idle = resolve));
    await Promise.all([close(), delay(lastAnswerMs)]);
  });

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
