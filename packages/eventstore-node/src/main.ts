/** The command: `node src/main.ts --dir DIR [--port N] [--host H]`. */
import { parseArgs } from "node:util";
import { logVerbosity, setLogVerbosity } from "@grpc/grpc-js";
import { type NodeOptions, startNode } from "./node.ts";

const USAGE = "usage: eventstore-node --dir DIR [--port N] [--host H]";

function parseOptions(): NodeOptions {
  const { values } = parseArgs({
    options: {
      dir: { type: "string" },
      port: { type: "string", default: "2113" },
      host: { type: "string", default: "127.0.0.1" },
    },
  });
  const port = Number(values.port);
  if (values.dir === undefined || values.dir === "") throw new Error("--dir is missing");
  if (!/^\d+$/.test(values.port) || port > 65535) throw new Error(`--port is not a port: ${values.port}`);
  return { dir: values.dir, port, host: values.host };
}

function fail(exitCode: number, error: unknown, hint = ""): never {
  process.stderr.write(`${error instanceof Error ? error.message.split("\n")[0] : error}${hint}\n`);
  process.exit(exitCode);
}

function optionsOrExit(): NodeOptions {
  try {
    return parseOptions();
  } catch (error) {
    return fail(2, error, ` (${USAGE})`);
  }
}

// What goes wrong is thrown, and reported here in one line.
setLogVerbosity(logVerbosity.NONE);
const node = await startNode(optionsOrExit()).catch((error: unknown) => fail(1, error));
process.stdout.write(`eventstore ready ${node.url}\n`);
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    node.stop().then(
      () => process.exit(0),
      (error: unknown) => fail(1, error),
    );
  });
}
