import { resolve } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { accessTokenSeconds, type Instant, instantOf } from "@carillon/domain";
import { isRunning } from "@carillon/launcher";
import { type SigningKey, settings, signingKeys } from "@carillon/platform";
import { Argument, type Command } from "commander";
import { defaultFolder } from "../operator/platform-address.ts";
import { readPlatformFile } from "../up/folder/platform-file.ts";
import { keepSecrets, keptSecrets, newSigningKey, type Secrets } from "../up/folder/secrets.ts";

/** What a key signs. */
type Use = "access" | "receipts";

const uses = {
  access: { setting: "AUTH_SIGNING_KEYS", published: "/.well-known/jwks.json", worker: "auth" },
  receipts: { setting: "RECEIPT_SIGNING_KEYS", published: "/.well-known/receipts.json", worker: "api" },
} as const;

/** One key as the operator sees it. */
interface KeyStatus {
  readonly use: Use;
  readonly kid: string;
  /** `waits`: it is published and does not sign yet. `retired`: it signed. */
  readonly state: "waits" | "signs" | "retired";
  readonly signsFrom: Instant | null;
}

/** How long a new key is published before it signs, so that every worker knows it by then. In milliseconds. */
const overlapMs = 60_000;
/** How long an access token is worth something after its key has ceased to sign, with a minute for clocks. In seconds. */
const tokenLifeSeconds = accessTokenSeconds + 60;
const publishPatienceMs = 60_000;

/** Adds `carillon keys`, which shows and changes what signs access tokens and receipts. */
export function keysCommand(program: Command): void {
  const keys = program.command("keys").description("see and rotate the keys that sign");

  keys
    .command("list")
    .description("the keys of access tokens and receipts: which sign, which wait, which are retired")
    .option("--data <dir>", "the platform's folder")
    .option("--json", "print one JSON document")
    .action((options: { data?: string; json?: true }) => {
      const secrets = secretsIn(folderOf(options.data));
      const now = new Date();
      const all = (Object.keys(uses) as Use[]).flatMap((use) => statusOf(use, keysOf(secrets, use), now));
      process.stdout.write(options.json ? `${JSON.stringify(all)}\n` : all.map(asLine).join(""));
    });

  keys
    .command("rotate")
    .description("let a new key sign; what the old one signed stays valid")
    .addArgument(new Argument("<use>", "what it signs").choices(Object.keys(uses)))
    .option("--now", "let it sign at once, not in a minute")
    .option("--data <dir>", "the platform's folder")
    .option("--json", "print one JSON document")
    .action(async (use: Use, options: { now?: true; data?: string; json?: true }) => {
      const rotated = await rotate(use, folderOf(options.data), options.now ? 0 : overlapMs);
      process.stdout.write(options.json ? `${JSON.stringify(rotated)}\n` : asLine(rotated));
    });
}

/**
 * Adds a key to the folder's secrets, and takes out the access keys whose last token has expired. A platform that
 * runs there takes it at once; this returns when the key is published.
 */
async function rotate(use: Use, folder: string, delayMs: number): Promise<KeyStatus> {
  const secrets = secretsIn(folder);
  const now = new Date();
  const key = { ...newSigningKey(), signsFrom: instantOf(new Date(now.getTime() + delayMs)) };
  const known = keysOf(secrets, use);
  const kept = use === "access" ? stillChecked(known, now) : known;
  keepSecrets(folder, { ...secrets, [uses[use].setting]: JSON.stringify([...kept, key]) });

  const platform = readPlatformFile(folder);
  if (platform && isRunning(platform.supervisor)) {
    process.kill(platform.supervisor.pid, "SIGUSR2");
    await untilPublished(`${platform.url}${uses[use].published}`, key.kid, use);
  }
  return statusOf(use, [...kept, key], new Date()).find(({ kid }) => kid === key.kid) as KeyStatus;
}

const stillChecked = (keys: readonly SigningKey[], now: Date) => {
  const published = signingKeys(keys, tokenLifeSeconds).published(now);
  return keys.filter(({ kid }) => published.some((open) => open.kid === kid));
};

async function untilPublished(url: string, kid: string, use: Use): Promise<void> {
  for (const deadline = Date.now() + publishPatienceMs; Date.now() < deadline; await delay(100)) {
    const answer = await fetch(url).catch(() => undefined);
    if (!answer?.ok) continue;
    const { keys } = (await answer.json()) as { keys: { kid?: string }[] };
    if (keys.some((key) => key.kid === kid)) return;
  }
  const { setting, worker } = uses[use];
  throw new Error(
    `the new key is in secrets.json, but the worker ${worker} has not published it within a minute: see its log, and whether ${setting} is set in the environment of "carillon up", which then counts`,
  );
}

/** The folder that a command is for. A platform that the environment names keeps its keys elsewhere. */
function folderOf(data: string | undefined): string {
  if (data !== undefined || !process.env.CARILLON_URL) return resolve(data ?? defaultFolder);
  throw new Error(
    'the keys of the platform at CARILLON_URL are in its own settings: append a key with "signsFrom" in a minute to AUTH_SIGNING_KEYS or RECEIPT_SIGNING_KEYS and restart the workers auth or api, one after another; or name a folder with --data',
  );
}

function secretsIn(folder: string): Secrets {
  try {
    return keptSecrets(folder);
  } catch (error) {
    throw new Error(`there are no keys in ${folder}: name the platform's folder with --data`, {
      cause: error,
    });
  }
}

const keysOf = (secrets: Secrets, use: Use): SigningKey[] => {
  const { setting } = uses[use];
  return settings[setting].parse(secrets[setting]);
};

function statusOf(use: Use, keys: readonly SigningKey[], now: Date): KeyStatus[] {
  const current = signingKeys(keys).current(now).kid;
  return keys.map(({ kid, signsFrom = null }) => {
    const waits = signsFrom !== null && Date.parse(signsFrom) > now.getTime();
    return { use, kid, state: kid === current ? "signs" : waits ? "waits" : "retired", signsFrom };
  });
}

const asLine = ({ use, kid, state, signsFrom }: KeyStatus) =>
  `${use} ${kid} ${state}${state === "waits" ? ` until ${signsFrom}` : ""}\n`;
