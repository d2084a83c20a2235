import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { serve } from "@hono/node-server";

/**
 * Runs a worker module on Node as `deno serve` does on Deno.
 *
 * @example
 * node packages/launcher/src/workers/serve-node.ts --port 7001 packages/api/src/workers/auth.ts
 */
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { host: { type: "string", default: "127.0.0.1" }, port: { type: "string" } },
});
const [module] = positionals;
if (!module || !values.port) throw new Error("usage: serve-node.ts [--host H] --port N <module>");
const { default: worker } = await import(pathToFileURL(module).href);
serve({ fetch: worker.fetch, hostname: values.host, port: Number(values.port) });
