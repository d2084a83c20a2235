import { type Instant, instantOf } from "@carillon/domain";
import { counter, type Logger, type Registry } from "@carillon/platform";
import { trpcServer } from "@hono/trpc-server";
import type { AnyRouter } from "@trpc/server";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { routePath } from "hono/route";
import { shedLoad } from "../load/load-shedding.ts";
import { errorResponse, retryAfter, typedError } from "./errors.ts";
import type { Context } from "./trpc.ts";

/** How large a request may be: content of `maxInlineBytes` as base64, with room to say that it is too large. */
export const maxRequestBytes = 1024 * 1024;

/** Refuses a larger request as `content_too_large`. */
export const limitRequests = () =>
  bodyLimit({
    maxSize: maxRequestBytes,
    onError: () =>
      errorResponse({
        code: "content_too_large",
        message: `The request is too large: send at most ${maxRequestBytes} bytes.`,
      }),
  });

/** What serves a worker's procedures, and its other routes. */
export type WorkerApp = Hono<{ Variables: { arrivedAt: Instant } }>;

/**
 * Serves a tree of procedures at `/trpc`. What a route that is added throws is answered in the same form. What nobody
 * foresaw is logged once, with its correlation id.
 */
export function trpcApp(router: AnyRouter, log: Logger, metrics: Registry): WorkerApp {
  const failures = counter(metrics, "carillon_procedure_failures_total");
  const app: WorkerApp = new Hono();
  shedLoad(app, metrics);
  app.use("/trpc/*", async (context, next) => {
    context.set("arrivedAt", instantOf(new Date()));
    await next();
    context.header("cache-control", "no-store");
  });
  app.use(
    "/trpc/*",
    limitRequests(),
    trpcServer({
      router,
      endpoint: "/trpc",
      createContext: (_options, context) =>
        ({
          authorization: context.req.header("authorization"),
          correlationId: crypto.randomUUID(),
          arrivedAt: context.get("arrivedAt"),
        }) satisfies Context,
      responseMeta: ({ errors }) => ({ headers: retryAfter(errors.map(typedError)) }),
      onError({ error, path, ctx, req }) {
        const { code } = typedError(error);
        failures.inc({ code });
        // A client that leaves in the middle of its request has not found a fault of ours.
        if (code !== "internal" || req.signal.aborted) return;
        log.error({ err: error.cause ?? error, path, correlationId: ctx?.correlationId }, "a call failed");
      },
    }),
  );
  app.onError((thrown, context) => {
    const error = typedError(thrown);
    failures.inc({ code: error.code });
    if (error.code === "internal") {
      // The route and not the address, which may hold what opens an upload.
      log.error({ err: thrown, path: routePath(context) }, "a call failed");
    }
    return errorResponse(error);
  });
  app.notFound(() =>
    errorResponse({ code: "procedure_unknown", message: "There is nothing at this address." }),
  );
  return app;
}
