/** The commands that work on a folder, with or without a node running on it. */
import { parseArgs } from "node:util";
import { backupFolder } from "../storage/backup.ts";
import { verifyFolder } from "../storage/integrity/verify.ts";

/** How the commands are called, for the usage line. */
export const MAINTENANCE_USAGE =
  "eventstore-node verify --dir DIR | eventstore-node backup --dir DIR --to DIR";

/** A command with its options read. */
export interface MaintenanceCommand {
  /** Gives what to print and the exit code: 0 when all is well, 1 when the folder is damaged. */
  run(): Promise<{ output: string; exitCode: 0 | 1 }>;
}

/**
 * The command that `args` ask for; undefined when they ask for the node itself.
 * @throws when an option is missing or not known.
 */
export function maintenanceCommand([name, ...args]: readonly string[]): MaintenanceCommand | undefined {
  if (name === "verify") {
    const { dir } = parseFolders(args, ["dir"]);
    return { run: () => verify(dir) };
  }
  if (name === "backup") {
    const { dir, to } = parseFolders(args, ["dir", "to"]);
    return { run: () => backup(dir, to) };
  }
  return undefined;
}

async function verify(dir: string): Promise<{ output: string; exitCode: 0 | 1 }> {
  const { events, streams, damage } = await verifyFolder(dir);
  if (damage.length === 0) return { output: `clean: ${events} events in ${streams} streams\n`, exitCode: 0 };
  return { output: damage.map((text) => `damaged: ${text}\n`).join(""), exitCode: 1 };
}

async function backup(dir: string, to: string): Promise<{ output: string; exitCode: 0 }> {
  const { events, streams } = await backupFolder(dir, to);
  return { output: `copied and checked: ${events} events in ${streams} streams\n`, exitCode: 0 };
}

function parseFolders<Name extends string>(args: string[], names: readonly Name[]): Record<Name, string> {
  const options = Object.fromEntries(names.map((name) => [name, { type: "string" as const }]));
  const { values } = parseArgs({ args, options });
  for (const name of names) if (!values[name]) throw new Error(`--${name} is missing`);
  return values as Record<Name, string>;
}
