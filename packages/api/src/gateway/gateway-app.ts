import type { Registry } from "@carillon/platform";
import { Hono } from "hono";
import { proxy } from "hono/proxy";
import { errorResponse, typedError } from "../http/errors.ts";
import { limitRequests } from "../http/trpc-app.ts";
import { shedLoad } from "../load/load-shedding.ts";

/** Where the workers behind the gateway are. */
export interface Backends {
  readonly auth: string;
  readonly api: string;
  readonly reports: string;
}
type Backend = keyof Backends;

/** The one address for clients: passes each request to the worker that serves it. */
export function gatewayApp(backends: Backends, metrics: Registry): Hono {
  const pass = async (request: Request, backend: Backend, body?: ArrayBuffer): Promise<Response> => {
    const { pathname, search } = new URL(request.url);
    try {
      return await proxy(new URL(pathname + search, backends[backend]), {
        raw: request,
        ...(body && { body }),
      });
    } catch {
      return errorResponse({
        code: "unavailable",
        message: `The service "${backend}" cannot be reached: try again.`,
      });
    }
  };
  const app = new Hono();
  // Each call that waits for its worker holds two connections here.
  shedLoad(app, metrics);
  app.onError((thrown) => errorResponse(typedError(thrown)));
  app.get("/.well-known/jwks.json", ({ req }) => pass(req.raw, "auth"));
  app.get("/.well-known/receipts.json", ({ req }) => pass(req.raw, "api"));
  // Content streams through, however large it is.
  app.all("/uploads/:id", ({ req }) => pass(req.raw, "api"));
  app.get("/submissions/:id/content", ({ req }) => pass(req.raw, "api"));
  app.get("/receipts/:jws", ({ req }) => pass(req.raw, "api"));
  app.all("/trpc/:path", limitRequests(), async ({ req }) => {
    const [backend, ...others] = new Set(req.param("path").split(",").map(backendOf));
    if (backend && others.length === 0) {
      // Read whole, it goes on with its length: a worker need not count a stream.
      return pass(req.raw, backend, req.raw.body ? await req.raw.arrayBuffer() : undefined);
    }
    return errorResponse({
      code: "malformed",
      message:
        "One batch cannot go to several services: use httpLink, or one httpBatchLink each for auth, reports and the rest.",
    });
  });
  app.notFound(() =>
    errorResponse({ code: "procedure_unknown", message: "There is nothing at this address." }),
  );
  return app;
}

/** Which worker serves a procedure, by the first part of its path. */
function backendOf(path: string): Backend {
  const [first] = path.split(".");
  return first === "auth" || first === "reports" ? first : "api";
}
