import process from "node:process";
import { type Instant, InstantInput, Username } from "@carillon/domain";
import { connectEventLog } from "@carillon/platform";
import { SingleBar } from "cli-progress";
import { type Command, InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import { type Format, formats, written } from "../audit/formats.ts";
import { findHistory, type History, type Subject } from "../audit/history.ts";
import { print } from "../audit/print.ts";
import { findPlatform } from "../operator/platform-address.ts";
import { slugArgument, uuidArgument } from "./arguments.ts";

interface Options {
  submission?: string;
  student?: { id: string } | { username: string };
  assignment?: string;
  tenant?: string;
  sessions?: true;
  until?: Instant;
  format: Format;
  json?: true;
  quiet?: true;
  data?: string;
}

export function auditCommand(program: Command): void {
  const replay = program
    .command("audit")
    .description("read the history itself, not a view of it")
    .command("replay")
    .description("events from the log, oldest first: of a submission, a student, an assignment or a school")
    .addOption(
      new Option("--submission <id>", "one submission")
        .argParser(uuidArgument)
        .conflicts(["student", "assignment"]),
    )
    .addOption(
      new Option(
        "--student <who>",
        "one person by username or id: what they joined, handed in and got for it",
      )
        .argParser(personArgument)
        .conflicts("assignment"),
    )
    .option("--assignment <id>", "one assignment with everything that was handed in for it", uuidArgument)
    .option("--tenant <slug>", "the school; with nothing else, all of its history", slugArgument)
    .option("--sessions", "with --student: their logins too")
    .option("--until <time>", "what the log had written by then, such as 2026-09-20T23:59:59Z", timeArgument)
    .addOption(new Option("--format <format>", "how it is written").choices(formats).default("text"))
    .addOption(new Option("--json", "print one JSON document").conflicts("format"))
    .option("--quiet", "no progress bar")
    .option("--data <dir>", "the folder of the running platform");
  replay.action(async (options: Options) => {
    const subject = subjectOf(options);
    if (typeof subject === "string") return replay.error(`error: ${subject}`);
    const log = connectEventLog(findPlatform({ data: options.data, env: process.env }).eventstoreUrl);
    try {
      const history = await findHistory(log, subject, options.until);
      await print(written(options.json ? "json" : options.format, watched(history, options.quiet ?? false)));
    } finally {
      log.close();
    }
  });
}

/** What is asked for, or what is wrong with the question. */
function subjectOf({ submission, student, assignment, tenant: slug, sessions }: Options): Subject | string {
  if (sessions && !student) return "--sessions goes with --student";
  if (submission) return { kind: "submission", id: submission, slug };
  if (assignment) return { kind: "assignment", id: assignment, slug };
  if (student) {
    if ("username" in student && slug === undefined) return "a username needs its school: add --tenant";
    return { kind: "student", student, slug, sessions: sessions ?? false };
  }
  return slug === undefined
    ? "say what to replay: --submission, --student, --assignment, or --tenant alone"
    : { kind: "tenant", slug };
}

/** Shows how far the log is read; not where the bar would stand between the lines. */
async function* watched(history: History, quiet: boolean) {
  const shown = history.end !== undefined && !quiet && !process.stdout.isTTY && process.stderr.isTTY;
  const bar = new SingleBar({
    format: "reading the log [{bar}] {percentage} % {eta_formatted}",
    stream: process.stderr,
    hideCursor: true,
  });
  if (shown) bar.start(Number(history.end), 0);
  try {
    yield* history.events((position) => {
      if (shown) bar.update(Number(position));
    });
  } finally {
    if (shown) bar.stop();
  }
}

function personArgument(text: string): { id: string } | { username: string } {
  const id = z.uuid().safeParse(text);
  if (id.success) return { id: id.data };
  const username = Username.safeParse(text);
  if (!username.success) throw new InvalidArgumentError("use a username or an id");
  return { username: username.data };
}

function timeArgument(text: string): Instant {
  const time = InstantInput.safeParse(text);
  if (time.success) return time.data;
  throw new InvalidArgumentError("use a time such as 2026-09-20T23:59:59Z or 2026-09-21T01:59:59+02:00");
}
