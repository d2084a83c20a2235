import { userInfo } from "node:os";
import process from "node:process";
import type { TenantId } from "@carillon/domain";
import {
  connectBus,
  connectEventLog,
  type DeadFilter,
  type DeadLetter,
  type DeadLetters,
  type DiscardedLetter,
  openDeadLetters,
} from "@carillon/platform";
import { type Command, InvalidArgumentError } from "commander";
import { findPlatform, type Platform } from "../operator/platform-address.ts";
import { slugArgument, tenantNamed } from "./arguments.ts";

interface Options {
  data?: string;
  json?: true;
}

interface Which extends Options {
  handler?: string;
  tenant?: string;
}

export function deadCommand(program: Command): void {
  const dead = program.command("dead").description("see and mend work that could not be done");
  const command = (usage: string, description: string) =>
    dead
      .command(usage)
      .description(description)
      .option("--data <dir>", "the folder of the running platform")
      .option("--json", "print one JSON document");
  const filtered = (usage: string, description: string) =>
    command(usage, description)
      .option("--handler <name>", "only this handler's, such as grade", handlerArgument)
      .option("--tenant <slug>", "only this school's", slugArgument);

  filtered("list", "every dead letter with its reason, the oldest first")
    .option("--discarded", "those that were given up, and by whom")
    .action(async (options: Which & { discarded?: true }) => {
      await withLetters(options, async (letters, platform) => {
        const filter = await filterOf(platform, options);
        const found = await all(options.discarded ? letters.discarded(filter) : letters.list(filter));
        print(options, found.map(withoutData), found.map(asLine));
      });
    });

  command("show", "one dead letter with its event")
    .argument("<id>", "its id, which list says", idArgument)
    .action(async (id: number, options: Options) => {
      await withLetters(options, async (letters) => {
        const letter = await found(letters, id);
        print(options, asJson(letter), [asLine(letter), JSON.stringify(asJson(letter).event, null, 2)]);
      });
    });

  filtered("replay", "make it work again, with its tries at zero")
    .argument("[id]", "its id; without it, all that the options name", idArgument)
    .action(async (id: number | undefined, options: Which) => {
      await withLetters(options, async (letters, platform) => {
        const chosen = await chosenBy(letters, platform, id, options);
        for (const letter of chosen) await letters.replay(letter);
        print(
          options,
          chosen.map(withoutData),
          chosen.map((letter) => `${asLine(letter)} — is work again`),
        );
      });
    });

  filtered("discard", "give it up; the person who did is written down")
    .argument("[id]", "its id; without it, all that the options name", idArgument)
    .option("--by <person>", "the person who decides it", userInfo().username)
    .action(async (id: number | undefined, options: Which & { by: string }) => {
      await withLetters(options, async (letters, platform) => {
        const chosen = await chosenBy(letters, platform, id, options);
        for (const letter of chosen) await letters.discard(letter, options.by, new Date());
        print(
          options,
          chosen.map(withoutData),
          chosen.map((letter) => `${asLine(letter)} — given up by ${options.by}`),
        );
      });
    });
}

async function withLetters(
  { data }: Options,
  use: (letters: DeadLetters, platform: Platform) => Promise<void>,
): Promise<void> {
  const platform = findPlatform({ data, env: process.env });
  const bus = await connectBus(platform.natsUrl, "carillon dead");
  try {
    await use(await openDeadLetters(bus), platform);
  } finally {
    await bus.close();
  }
}

async function filterOf({ eventstoreUrl }: Platform, { handler, tenant }: Which): Promise<DeadFilter> {
  return { handler, tenantId: tenant === undefined ? undefined : await tenantIdNamed(eventstoreUrl, tenant) };
}

async function tenantIdNamed(eventstoreUrl: string, slug: string): Promise<TenantId> {
  const log = connectEventLog(eventstoreUrl);
  try {
    return await tenantNamed(log, slug);
  } finally {
    log.close();
  }
}

/** The letters as they are now: what dies again while we go through them is not among them. */
async function chosenBy(
  letters: DeadLetters,
  platform: Platform,
  id: number | undefined,
  options: Which,
): Promise<DeadLetter[]> {
  if (id !== undefined) return [await found(letters, id)];
  if (options.handler === undefined && options.tenant === undefined) {
    throw new Error("say which: an id, --handler or --tenant");
  }
  return all(letters.list(await filterOf(platform, options)));
}

async function all<Letter>(letters: AsyncIterable<Letter>): Promise<Letter[]> {
  const every: Letter[] = [];
  for await (const letter of letters) every.push(letter);
  return every;
}

async function found(letters: DeadLetters, id: number): Promise<DeadLetter> {
  const letter = await letters.find(id);
  if (!letter) throw new Error(`there is no dead letter ${id}; "carillon dead list" says which there are`);
  return letter;
}

function print({ json }: Options, document: unknown, lines: readonly string[]): void {
  process.stdout.write(json ? `${JSON.stringify(document)}\n` : lines.map((line) => `${line}\n`).join(""));
}

const asJson = ({ event: { position, previous: _, ...event }, ...letter }: DeadLetter) => ({
  ...letter,
  event: { ...event, position: position.toString() },
});

/** For a list: what the event says of a person is shown one by one only. */
const withoutData = (letter: DeadLetter | DiscardedLetter) => {
  const { event, ...fields } = asJson(letter);
  const { data: _, metadata: __, ...eventFields } = event;
  return { ...fields, event: eventFields };
};

const asLine = (letter: DeadLetter | DiscardedLetter) =>
  [
    letter.id,
    letter.handler,
    `tenant ${letter.tenantId}`,
    `${letter.event.type} ${letter.event.id}`,
    `${letter.event.stream} revision ${letter.event.revision}`,
    `${letter.tries} ${letter.tries === 1 ? "try" : "tries"}, ${letter.firstFailedAt} to ${letter.lastFailedAt}`,
    letter.reason,
    ...("discardedBy" in letter ? [`given up by ${letter.discardedBy} at ${letter.discardedAt}`] : []),
  ].join("  ");

function idArgument(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}

function handlerArgument(text: string): string {
  if (!/^[a-z][a-z-]*$/.test(text))
    throw new InvalidArgumentError("It must be a handler's name, such as grade.");
  return text;
}
