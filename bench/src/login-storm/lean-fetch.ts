import { type Agent, request } from "node:http";
import { text } from "node:stream/consumers";
import type { httpLink } from "@trpc/client";

type Fetch = NonNullable<Parameters<typeof httpLink>[0]["fetch"]>;

/** What a load balancer waits for an answer before it breaks the connection, in milliseconds. */
const answerTimeoutMs = 60_000;

/**
 * A `fetch` with as little as a tRPC link needs, over connections that are kept: the generator shares its cores with
 * what it measures, and Node's own takes several times the processor time.
 */
export function leanFetch(agent: Agent): Fetch {
  return (url, { method = "GET", headers, body } = {}) =>
    new Promise((resolve, reject) => {
      const sent = request(
        String(url),
        { method, headers: headers as Record<string, string>, agent, timeout: answerTimeoutMs },
        (response) => {
          text(response).then(
            (answer) => resolve({ ok: response.statusCode === 200, json: async () => JSON.parse(answer) }),
            reject,
          );
        },
      );
      sent.once("timeout", () => sent.destroy(new Error(`no answer within ${answerTimeoutMs} ms`)));
      sent.once("error", reject);
      sent.end(body as string | undefined);
    });
}
