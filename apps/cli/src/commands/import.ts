import process from "node:process";
import { CarillonError } from "@carillon/domain";
import { connectEventLog, type Position } from "@carillon/platform";
import { SingleBar } from "cli-progress";
import type { Command } from "commander";
import { asCarillonError, type Client, createOperatorClient } from "../operator/operator-client.ts";
import { findPlatform } from "../operator/platform-address.ts";
import type { Progress } from "../oulad/bulk-sender.ts";
import { importOulad } from "../oulad/import-oulad.ts";
import { readTables } from "../oulad/tables.ts";
import { slugArgument } from "./arguments.ts";

/** An import outlives a restart of the event store, in milliseconds. */
const patienceMs = 60_000;

export function importCommand(program: Command): void {
  program
    .command("import")
    .description("send the commands of a real school year")
    .command("oulad")
    .description("the Open University Learning Analytics Dataset; importing it again adds nothing")
    .argument("<dir>", "the folder of its tables, .csv or .csv.gz")
    .requiredOption("--tenant <slug>", "the school; it is enrolled if it is not there", slugArgument)
    .option("--data <dir>", "the folder of the running platform")
    .option("--json", "print one JSON document")
    .action(async (folder: string, options: { tenant: string; data?: string; json?: true }) => {
      const platform = findPlatform({ data: options.data, env: process.env });
      const startedAt = Date.now();
      const tables = await readTables(folder);
      const log = connectEventLog(platform.eventstoreUrl, { patienceMs });
      const bar = progressBar();
      try {
        const { position, ...imported } = await importOulad(
          log,
          options.tenant,
          tables,
          new Date(),
          bar.progress,
        );
        bar.stop();
        const importSeconds = secondsSince(startedAt);
        process.stderr.write("waiting for the reports\n");
        const client = await createOperatorClient(platform, imported.tenantId);
        const [course] = tables.courses;
        if (course) await reportsShow(client, `${course.code_module}-${course.code_presentation}`, position);
        const summary = {
          tenant: options.tenant,
          ...imported,
          position: position.toString(),
          importSeconds,
          totalSeconds: secondsSince(startedAt),
        };
        process.stdout.write(options.json ? `${JSON.stringify(summary)}\n` : inWords(summary));
      } finally {
        bar.stop();
        log.close();
      }
    });
}

const secondsSince = (startedAt: number) => Math.round((Date.now() - startedAt) / 100) / 10;

const inWords = (summary: {
  tenant: string;
  registrations: number;
  withdrawals: number;
  submissions: number;
  scores: number;
  eventsAdded: number;
  importSeconds: number;
  totalSeconds: number;
}) =>
  `${summary.tenant}: ${summary.registrations} registrations, ${summary.withdrawals} withdrawals, ` +
  `${summary.submissions} submissions, ${summary.scores} scores; ${summary.eventsAdded} events added ` +
  `in ${summary.importSeconds} s, in the reports after ${summary.totalSeconds} s\n`;

/** Resolves when a report tells of everything up to `position`: each question waits on the server for a while. */
async function reportsShow(client: Client, classCode: string, position: Position): Promise<void> {
  for (;;) {
    const report = await client.reports.classProgress
      .query({ class: classCode, atLeast: position.toString() })
      .catch((error: unknown) => {
        const known = asCarillonError(error);
        // Before the projection has come as far as the class, or while the worker starts again, there is none.
        if (isPassing(known)) return undefined;
        throw known;
      });
    if (report && !report.stale) return;
    if (!report) await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

const isPassing = (error: unknown) =>
  error instanceof CarillonError && (error.code === "class_unknown" || error.code === "unavailable");

/** A bar on stderr; a line for each phase where stderr is not a terminal. */
function progressBar(): { progress: Progress; stop: () => void } {
  const bar = new SingleBar({
    format: "{phase} [{bar}] {value}/{total} {eta_formatted}",
    stream: process.stderr,
    hideCursor: true,
  });
  let current: string | undefined;
  const stop = () => {
    if (current !== undefined && process.stderr.isTTY) bar.stop();
    current = undefined;
  };
  const progress: Progress = (phase, done, total) => {
    if (phase !== current) {
      stop();
      current = phase;
      if (process.stderr.isTTY) bar.start(total, 0, { phase: phase.padEnd(13) });
      else process.stderr.write(`${phase}: ${total}\n`);
    }
    if (process.stderr.isTTY) bar.update(done);
  };
  return { progress, stop };
}
