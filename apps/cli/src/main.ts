import process from "node:process";
import { Command, CommanderError } from "commander";
import { auditCommand } from "./commands/audit.ts";
import { deadCommand } from "./commands/dead.ts";
import { importCommand } from "./commands/import.ts";
import { keysCommand } from "./commands/keys.ts";
import { projectionsCommand } from "./commands/projections.ts";
import { receiptCommand } from "./commands/receipt.ts";
import { reportCommand } from "./commands/report.ts";
import { upCommand } from "./commands/up.ts";

const program = new Command("carillon")
  .description("runs and operates a Carillon platform")
  .exitOverride()
  .showHelpAfterError("(add --help for how it is used)");

for (const add of [
  upCommand,
  importCommand,
  reportCommand,
  auditCommand,
  receiptCommand,
  projectionsCommand,
  deadCommand,
  keysCommand,
])
  add(program);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed the message already, or the help that was asked for.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    process.stderr.write(`carillon: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
