/** The command: `npm run -s bench -- <name> [--json FILE] [--quick] [--seed N]`. */
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { eventStoreStorm } from "./event-store/event-store.ts";
import { table } from "./harness/figures.ts";
import type { Storm } from "./harness/storm.ts";
import { loginStorm } from "./login/login-storm.ts";
import { submissionChaos } from "./submissions/chaos/submission-chaos.ts";
import { ouladDeadlines } from "./submissions/deadlines/oulad-deadlines.ts";
import { submissionFlood } from "./submissions/flood/submission-flood.ts";

const storms: Readonly<Record<string, Storm>> = {
  "event-store": eventStoreStorm,
  "login-storm": loginStorm,
  "submission-flood": submissionFlood,
  "submission-chaos": submissionChaos,
  "oulad-deadlines": ouladDeadlines,
};

const USAGE = `usage: npm run -s bench -- ${Object.keys(storms).join("|")} [--json FILE] [--quick] [--seed N]`;

function parseCommand() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: "string" },
      quick: { type: "boolean", default: false },
      seed: { type: "string", default: `${randomInt(2 ** 32)}` },
    },
  });
  const [name, ...rest] = positionals;
  if (name === undefined || rest.length > 0) throw new Error("name one storm");
  const storm = storms[name];
  if (storm === undefined) throw new Error(`there is no storm ${JSON.stringify(name)}`);
  const seed = Number(values.seed);
  if (!Number.isInteger(seed)) throw new Error("a seed is a whole number");
  return { name, storm, ...values, seed };
}

function fail(exitCode: number, error: unknown, hint = ""): never {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : error}${hint}\n`);
  process.exit(exitCode);
}

function commandOrExit() {
  try {
    return parseCommand();
  } catch (error) {
    return fail(2, error, ` (${USAGE})`);
  }
}

const { name, storm, json, quick, seed } = commandOrExit();
const folder = mkdtempSync(join(tmpdir(), "carillon-bench-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
try {
  const say = (progress: string) => process.stderr.write(`bench: ${progress}\n`);
  const figures = await storm({ quick, seed, folder, say });
  if (json !== undefined)
    writeFileSync(json, `${JSON.stringify({ storm: name, quick, figures }, null, 2)}\n`);
  process.stdout.write(
    `${table(figures)}\n${quick ? "quick: this proves that it works and measures little\n" : ""}`,
  );
  process.exit(0);
} catch (error) {
  fail(1, error);
}
