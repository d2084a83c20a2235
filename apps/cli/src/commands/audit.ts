import process from "node:process";
import { CarillonError, streamName } from "@carillon/domain";
import { connectEventLog, type EventLog, type RecordedEvent } from "@carillon/platform";
import type { Command } from "commander";
import { findPlatform } from "../platform-address.ts";
import { slugArgument, tenantNamed, uuidArgument } from "./options.ts";

export function auditCommand(program: Command): void {
  program
    .command("audit")
    .description("read the history itself, not a view of it")
    .command("replay")
    .description("a submission's events from the log, one a line, oldest first")
    .requiredOption("--submission <id>", "the submission", uuidArgument)
    .option("--tenant <slug>", "its school; without it the whole log is searched", slugArgument)
    .option("--data <dir>", "the folder of the running platform")
    .option("--json", "print one JSON document")
    .action(async (options: { submission: string; tenant?: string; data?: string; json?: true }) => {
      const platform = findPlatform({ data: options.data, env: process.env });
      const log = connectEventLog(platform.eventstoreUrl);
      try {
        const events: RecordedEvent[] = [];
        const stream = await submissionStream(log, options.submission, options.tenant);
        if (stream) for await (const event of log.readStream(stream)) events.push(event);
        if (events.length === 0) {
          throw new CarillonError(
            "submission_unknown",
            `There is no submission ${options.submission} in the log.`,
          );
        }
        process.stdout.write(
          options.json
            ? `${JSON.stringify(events.map(asJson))}\n`
            : events.map((event) => `${asLine(event)}\n`).join(""),
        );
      } finally {
        log.close();
      }
    });
}

const submissionStream = async (log: EventLog, id: string, slug: string | undefined) =>
  slug === undefined
    ? log.findStream("submission", id)
    : streamName("submission", await tenantNamed(log, slug), id);

const asJson = ({ position, ...event }: RecordedEvent) => ({ ...event, position: position.toString() });

const asLine = (event: RecordedEvent) =>
  [
    event.revision,
    `position ${event.position}`,
    event.metadata.occurredAt,
    `written ${event.created}`,
    event.type,
    `by ${event.metadata.actor}`,
    JSON.stringify(event.data),
  ].join("  ");
