import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { TlsOption } from "../access/certificate.ts";
import type { NodeOptions } from "./node.ts";

/** How the command is called. */
export const SERVE_USAGE =
  "eventstore-node --dir DIR [--port N] [--host H] [--tls generated | --tls-cert FILE --tls-key FILE] " +
  "[--run-projections None|System] [--start-standard-projections]";

/**
 * What the command line `args` asks for. Passwords come from the environment alone, under EventStoreDB's names:
 * EVENTSTORE_DEFAULT_ADMIN_PASSWORD and EVENTSTORE_DEFAULT_OPS_PASSWORD.
 * @throws when it makes no sense.
 */
export function parseServeOptions(args: readonly string[], environment: NodeJS.ProcessEnv): NodeOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      dir: { type: "string" },
      port: { type: "string", default: "2113" },
      host: { type: "string", default: "127.0.0.1" },
      tls: { type: "string" },
      "tls-cert": { type: "string" },
      "tls-key": { type: "string" },
      "run-projections": { type: "string", default: "None" },
      "start-standard-projections": { type: "boolean", default: false },
    },
  });
  const { dir, port, host } = values;
  if (dir === undefined || dir === "") throw new Error("--dir is missing");
  if (!/^\d+$/.test(port) || Number(port) > 65535) throw new Error(`--port is not a port: ${port}`);
  const tls = parseTls(values.tls, values["tls-cert"], values["tls-key"]);
  const admin = environment.EVENTSTORE_DEFAULT_ADMIN_PASSWORD;
  const ops = environment.EVENTSTORE_DEFAULT_OPS_PASSWORD;
  return {
    dir,
    port: Number(port),
    host,
    ...(tls !== undefined && { tls }),
    passwords: { ...(admin && { admin }), ...(ops && { ops }) },
    runProjections: parseProjections(values["run-projections"]),
    startStandardProjections: values["start-standard-projections"],
  };
}

function parseTls(
  tls: string | undefined,
  certificateFile: string | undefined,
  keyFile: string | undefined,
): TlsOption | undefined {
  if (tls !== undefined && tls !== "generated") throw new Error(`--tls takes "generated": ${tls}`);
  if ((certificateFile === undefined) !== (keyFile === undefined)) {
    throw new Error("--tls-cert and --tls-key need each other");
  }
  if (certificateFile === undefined || keyFile === undefined) return tls;
  if (tls !== undefined) throw new Error("--tls generated and --tls-cert exclude each other");
  return { certificate: readFileSync(certificateFile, "utf8"), key: readFileSync(keyFile, "utf8") };
}

function parseProjections(mode: string): "None" | "System" {
  if (mode === "None" || mode === "System") return mode;
  throw new Error(`--run-projections takes None or System, there are no user projections here: ${mode}`);
}
