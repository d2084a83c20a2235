import { resolve } from "node:path";
import process from "node:process";
import { type Command, InvalidArgumentError } from "commander";
import { defaultFolder, findPlatform } from "../operator/platform-address.ts";
import { lineLog } from "../up/supervisor/line-log.ts";

interface UpOptions {
  readonly data: string;
  readonly portBase?: number;
  readonly demo: boolean;
  readonly watch?: boolean;
}

/** Adds `carillon up`, which runs a whole platform until it is told to stop. */
export function upCommand(program: Command): void {
  program
    .command("up")
    .description("start the whole platform in a folder and keep it running")
    .option("--data <folder>", "where it keeps everything", defaultFolder)
    .option("--port-base <port>", "use consecutive ports from this one on (default: free ports)", port)
    .option("--no-demo", "do not run the short school day after the start")
    .option("--watch", "restart workers whose sources change")
    .action(up);
}

const say = (line: string) => process.stdout.write(`${line}\n`);

async function up({ data, portBase, demo, watch }: UpOptions): Promise<void> {
  const stopping = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => stopping.abort());
  // The reader of our output may leave; the platform stays.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

  const log = lineLog(process.stderr);
  // Loaded here, so that other commands start without the platform's libraries.
  const { startPlatform } = await import("../up/start-platform.ts");

  const starting = startPlatform({ data, portBase, watch, log, signal: stopping.signal });
  const reload = () => starting.then((platform) => platform.reload());
  process.on("SIGUSR2", () => {
    reload().then(
      () => log("carillon", "has read the secrets again"),
      (error: unknown) => log("carillon", `could not read the secrets again: ${String(error)}`),
    );
  });
  const platform = await starting.catch((error: unknown) => {
    if (stopping.signal.aborted) return undefined;
    throw error;
  });
  if (platform === undefined) return;
  say(`ready ${platform.url}`);

  const stopped = new Promise<void>((resolve) => {
    if (stopping.signal.aborted) resolve();
    else stopping.signal.addEventListener("abort", () => resolve());
  });
  if (demo) await Promise.race([stopped, schoolDay(data)]);
  await stopped;
  log("carillon", "stopping");
  await platform.stop();
  process.exit();
}

/** The demo. The platform keeps serving if it fails, but our exit code will tell. */
async function schoolDay(data: string): Promise<void> {
  const { runSchoolDay } = await import("../demo.ts");
  try {
    await runSchoolDay(findPlatform({ data, env: process.env }), resolve(data), say);
  } catch (error) {
    process.stderr.write(
      `carillon: the demo failed: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    process.exitCode = 1;
  }
}

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1024 || value > 65_000) {
    throw new InvalidArgumentError("It must be a whole number from 1024 to 65000.");
  }
  return value;
}
