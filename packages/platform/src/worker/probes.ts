import type { Registry } from "prom-client";

export interface Probes {
  /** Resolves if everything that the worker needs answers; rejects with the reason if not. */
  readonly ready: () => Promise<unknown>;
  /** What an operator should know of a worker that is ready all the same, one line each. */
  readonly notes?: () => readonly string[];
  readonly metrics: Registry;
}

/**
 * Answers `/healthz` (the process lives), `/readyz` (200, or 503 with the reason) and `/metrics` (Prometheus text).
 * Gives undefined for every other path.
 */
export function probes({ ready, notes = () => [], metrics }: Probes) {
  return async (request: Request): Promise<Response | undefined> => {
    switch (new URL(request.url).pathname) {
      case "/healthz":
        return new Response("ok\n");
      case "/readyz":
        return ready().then(
          () => new Response(["ready", ...notes(), ""].join("\n")),
          (error: unknown) => new Response(`not ready: ${reason(error)}\n`, { status: 503 }),
        );
      case "/metrics":
        return new Response(await metrics.metrics(), { headers: { "content-type": metrics.contentType } });
      default:
        return undefined;
    }
  };
}

const reason = (error: unknown) => (error instanceof Error ? error.message : String(error));
