import { Counter, type Logger, type Registry } from "@carillon/platform";
import { trpcServer } from "@hono/trpc-server";
import type { AnyRouter } from "@trpc/server";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
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

/** Serves a tree of procedures at `/trpc`. What nobody foresaw is logged once, with its correlation id. */
export function trpcApp(router: AnyRouter, log: Logger, metrics: Registry): Hono {
  const failures = new Counter({
    name: "carillon_procedure_failures_total",
    help: "Calls that were answered with an error",
    labelNames: ["code"],
    registers: [metrics],
  });
  const app = new Hono();
  app.use("/trpc/*", limitRequests(), async (context, next) => {
    await next();
    context.header("cache-control", "no-store");
  });
  app.use(
    "/trpc/*",
    trpcServer({
      router,
      endpoint: "/trpc",
      createContext: (_options, { req }) =>
        ({
          authorization: req.header("authorization"),
          correlationId: crypto.randomUUID(),
        }) satisfies Context,
      responseMeta: ({ errors }) => ({ headers: retryAfter(errors.map(typedError)) }),
      onError({ error, path, ctx }) {
        const { code } = typedError(error);
        failures.inc({ code });
        if (code !== "internal") return;
        log.error({ err: error.cause ?? error, path, correlationId: ctx?.correlationId }, "a call failed");
      },
    }),
  );
  app.notFound(() =>
    errorResponse({ code: "procedure_unknown", message: "There is nothing at this address." }),
  );
  return app;
}
