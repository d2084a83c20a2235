import type { httpLink } from "@trpc/client";
import { Agent, request } from "undici";

type Fetch = NonNullable<Parameters<typeof httpLink>[0]["fetch"]>;

/** What a load balancer waits for an answer before it breaks the connection, in milliseconds. */
const usualAnswerTimeoutMs = 60_000;

/**
 * A `fetch` with as little as a tRPC link needs, over connections that are kept: the generator shares its cores with
 * what it measures, and the standard one takes several times the processor time.
 */
export function leanFetch(answerTimeoutMs = usualAnswerTimeoutMs): Fetch {
  const dispatcher = new Agent({ headersTimeout: answerTimeoutMs, bodyTimeout: answerTimeoutMs });
  return async (url, { method = "GET", headers, body } = {}) => {
    const answer = await request(String(url), {
      method: method as "GET" | "POST",
      headers: headers as Record<string, string>,
      body: (body as string | undefined) ?? null,
      dispatcher,
    });
    return { ok: answer.statusCode === 200, json: () => answer.body.json() };
  };
}
