import { userInfo } from "node:os";
import process from "node:process";
import type { DatabaseUrls } from "@carillon/launcher";
import { connectBusOnce, SettingsError } from "@carillon/platform";
import { type PartitionProgress, projectionStatus, skipPoison, withBacklog } from "@carillon/projections";
import { type Command, InvalidArgumentError } from "commander";
import { findPlatform, type Platform } from "../operator/platform-address.ts";
import { projectionLines } from "../operator/projection-lines.ts";

export function projectionsCommand(program: Command): void {
  const projections = program.command("projections").description("see and mend the read models");

  projections
    .command("status")
    .description("how far behind each projection is, and where one has stopped; with --json, each partition")
    .option("--data <dir>", "the folder of the running platform")
    .option("--json", "print one JSON document")
    .action(async (options: { data?: string; json?: true }) => {
      const partitions = await everyPartition(findPlatform({ data: options.data, env: process.env }));
      process.stdout.write(
        options.json
          ? `${JSON.stringify(partitions)}\n`
          : projectionLines(partitions, new Date())
              .map((line) => `${line}\n`)
              .join(""),
      );
    });

  projections
    .command("skip")
    .description("let a stopped projection move past the event that it cannot apply")
    .requiredOption("--projection <name>", "its name")
    .requiredOption("--partition <number>", "the partition that stopped", wholeNumber)
    .requiredOption("--position <position>", "the event's position", wholeNumber)
    .option("--by <person>", "the person who decides it; it is written down", userInfo().username)
    .option("--data <dir>", "the folder of the running platform")
    .action(
      async (options: {
        projection: string;
        partition: string;
        position: string;
        by: string;
        data?: string;
      }) => {
        const databases = databasesOf(findPlatform({ data: options.data, env: process.env }));
        const partition = Number(options.partition);
        for (const url of Object.values(databases)) {
          const known = (await projectionStatus(url)).some(
            (status) => status.projection === options.projection && status.partition === partition,
          );
          if (!known) continue;
          await skipPoison(url, {
            projection: options.projection,
            partition,
            position: BigInt(options.position),
            by: options.by,
          });
          process.stdout.write(
            `${options.projection} moves past position ${options.position} of partition ${partition}\n`,
          );
          return;
        }
        throw new Error(`there is no projection ${options.projection} with a partition ${options.partition}`);
      },
    );
}

function databasesOf({ projectorUrls }: Platform): DatabaseUrls {
  if (projectorUrls) return projectorUrls;
  throw new SettingsError("settings: DATABASE_URL, AUTH_DATABASE_URL and REPORTS_DATABASE_URL are missing");
}

async function everyPartition(platform: Platform): Promise<PartitionProgress[]> {
  const urls = Object.values(databasesOf(platform));
  const partitions = (await Promise.all(urls.map((url) => projectionStatus(url)))).flat();
  const bus = await connectBusOnce(platform.natsUrl, "carillon projections status").catch(() => undefined);
  try {
    return await withBacklog(partitions, bus);
  } finally {
    await bus?.close();
  }
}

function wholeNumber(text: string): string {
  if (!/^\d{1,20}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return text;
}
