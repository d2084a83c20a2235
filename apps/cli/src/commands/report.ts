import process from "node:process";
import { connectEventLog } from "@carillon/platform";
import type { Command } from "commander";
import { asCarillonError, type Client, createOperatorClient } from "../operator/operator-client.ts";
import { findPlatform } from "../operator/platform-address.ts";
import { slugArgument, tenantNamed } from "./arguments.ts";

type ClassProgress = Awaited<ReturnType<Client["reports"]["classProgress"]["query"]>>;

export function reportCommand(program: Command): void {
  program
    .command("report")
    .description("ask for a report")
    .command("class-progress")
    .description("who joined and left a class, and how its assessments stand")
    .requiredOption("--tenant <slug>", "the school", slugArgument)
    .requiredOption("--class <code>", "the class, such as AAA-2013J")
    .option("--data <dir>", "the folder of the running platform")
    .option("--json", "print one JSON document")
    .action(async (options: { tenant: string; class: string; data?: string; json?: true }) => {
      const platform = findPlatform({ data: options.data, env: process.env });
      const log = connectEventLog(platform.eventstoreUrl);
      try {
        const client = await createOperatorClient(platform, await tenantNamed(log, options.tenant));
        const report = await client.reports.classProgress
          .query({ class: options.class })
          .catch((error: unknown) => Promise.reject(asCarillonError(error)));
        process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : classProgressTable(report));
      } finally {
        log.close();
      }
    });
}

/** The report as text: a line on the class, then a table with a line for each assessment. */
export function classProgressTable(report: ClassProgress): string {
  const rows = report.assessments.map((row) => [
    row.assessment,
    row.type,
    row.dueDay ?? "-",
    row.weight,
    row.submitted,
    row.banked,
    row.late ?? "-",
    row.scored,
    row.meanScore?.toFixed(2) ?? "-",
    row.passed,
  ]);
  const table = [
    ["assessment", "type", "due day", "weight", "submitted", "banked", "late", "scored", "mean", "passed"],
    ...rows,
  ].map((row) => row.map(String));
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((row) => row[column]?.length ?? 0)),
  );
  const lines = table.map((row) =>
    row
      .map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  "),
  );
  const asOf = report.asOf.at ?? "the beginning";
  return [
    `${report.class}: ${report.registered} registered, ${report.withdrawn} withdrawn, ${report.lengthDays} days; as of ${asOf}`,
    ...lines,
    "",
  ].join("\n");
}
