/** The command: serves a folder (`serve-options.ts`), or looks after one (`maintenance.ts`). */
import { setFlagsFromString } from "node:v8";
import { logVerbosity, setLogVerbosity } from "@grpc/grpc-js";
import { MAINTENANCE_USAGE, type MaintenanceCommand, maintenanceCommand } from "./node/maintenance.ts";
import { type NodeOptions, startNode } from "./node/node.ts";
import { parseServeOptions, SERVE_USAGE } from "./node/serve-options.ts";

const USAGE = `usage: ${SERVE_USAGE} | ${MAINTENANCE_USAGE}`;

function fail(exitCode: number, error: unknown, hint = ""): never {
  process.stderr.write(`${error instanceof Error ? error.message.split("\n")[0] : error}${hint}\n`);
  process.exit(exitCode);
}

function orWrongUsage<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    return fail(2, error, ` (${USAGE})`);
  }
}

async function serve(options: NodeOptions): Promise<void> {
  const node = await startNode(options);
  process.stdout.write(`eventstore ready ${node.url}\n`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      node.stop().then(
        () => process.exit(0),
        (error: unknown) => fail(1, error),
      );
    });
  }
}

async function maintain(command: MaintenanceCommand): Promise<void> {
  const { output, exitCode } = await command.run();
  process.stdout.write(output);
  process.exitCode = exitCode;
}

// Events pass through quickly. V8 would give them more and more young space, and keep it: over 100 MiB, for no speed.
setFlagsFromString("--semi-space-growth-factor=1");
// What goes wrong is thrown, and reported here in one line.
setLogVerbosity(logVerbosity.NONE);
const args = process.argv.slice(2);
const maintenance = orWrongUsage(() => maintenanceCommand(args));
const work =
  maintenance === undefined
    ? serve(orWrongUsage(() => parseServeOptions(args, process.env)))
    : maintain(maintenance);
await work.catch((error: unknown) => fail(1, error));
