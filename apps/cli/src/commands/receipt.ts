import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { type Receipt, verifyReceipt } from "@carillon/platform";
import type { Command } from "commander";
import { z } from "zod";

const jwksPatienceMs = 10_000;

export function receiptCommand(program: Command): void {
  program
    .command("receipt")
    .description("check the receipts of submissions")
    .command("verify")
    .description("check a receipt with the public keys alone; with files it needs no platform and no network")
    .argument("<file>", "the receipt, or the JSON answer that holds it; - for stdin")
    .requiredOption(
      "--jwks <file>",
      "the public keys: a file, or an address such as https://school.example/.well-known/receipts.json",
    )
    .option("--content <file>", "check that this file is what was handed in")
    .option("--json", "print one JSON document")
    .action(async (file: string, options: { jwks: string; content?: string; json?: true }) => {
      const jws = findReceipt(await (file === "-" ? text(process.stdin) : readText(file)));
      const receipt = await verified(jws, await readKeys(options.jwks));
      if (options.content !== undefined) await checkContent(options.content, receipt);
      const contentMatches = options.content === undefined ? null : true;
      process.stdout.write(
        options.json
          ? `${JSON.stringify({ ...receipt, contentMatches })}\n`
          : inWords(receipt, options.content),
      );
    });
}

const CompactJws = z
  .string()
  .trim()
  .regex(/^[\w-]+\.[\w-]+\.[\w-]+$/);
const Answer = z.object({ receipt: CompactJws });
/** An answer as the client has it, or as it comes over HTTP. */
const AnyAnswer = z.union([
  Answer,
  z.object({ result: z.object({ data: Answer }) }).transform(({ result }) => result.data),
]);

/** The receipt in a file's text. Throws if there is none. */
function findReceipt(contents: string): string {
  const bare = CompactJws.safeParse(contents);
  if (bare.success) return bare.data;
  const answer = AnyAnswer.safeParse(parsedJson(contents));
  if (answer.success) return answer.data.receipt;
  throw new Error("this is no receipt: give the receipt's text, or the JSON answer that holds it");
}

const Keys = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) });

async function readKeys(source: string) {
  const contents = /^https?:\/\//.test(source) ? await fetchText(source) : await readText(source);
  const keys = Keys.safeParse(parsedJson(contents));
  if (!keys.success) throw new Error(`${source} holds no public keys (a JSON Web Key Set)`);
  return keys.data;
}

async function fetchText(url: string): Promise<string> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(jwksPatienceMs) });
    if (answer.ok) return await answer.text();
    throw new Error(`it answers ${answer.status}`);
  } catch (error) {
    throw new Error(`the public keys cannot be read from ${url}: ${reason(error)}`, { cause: error });
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new Error(`${path} cannot be read: ${reason(error)}`, { cause: error });
  }
}

const reason = (error: unknown) => {
  const { cause, message } = error as Error;
  return cause instanceof Error ? cause.message : message;
};

function parsedJson(contents: string): unknown {
  try {
    return JSON.parse(contents);
  } catch {
    return undefined;
  }
}

async function verified(jws: string, keys: z.infer<typeof Keys>): Promise<Receipt> {
  try {
    return await verifyReceipt(jws, keys);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    const message =
      code === "ERR_JWKS_NO_MATCHING_KEY"
        ? "this receipt is signed by a key that is not among the public keys"
        : code === "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"
          ? "this receipt is not genuine: its signature is not of what it says"
          : "this is signed text, but no receipt";
    throw new Error(message, { cause: error });
  }
}

async function checkContent(path: string, { sha256 }: Receipt): Promise<void> {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(path), hash);
  } catch (error) {
    throw new Error(`${path} cannot be read: ${reason(error)}`, { cause: error });
  }
  const found = hash.digest("hex");
  if (found !== sha256) {
    throw new Error(`${path} is not what was handed in: its SHA-256 is ${found}, the receipt's is ${sha256}`);
  }
}

const inWords = (receipt: Receipt, content: string | undefined) =>
  [
    ["receipt", "genuine"],
    ["school", receipt.tenantId],
    ["assignment", receipt.assignmentId],
    ["student", receipt.studentId],
    ["key", JSON.stringify(receipt.key)],
    ["sha256", receipt.sha256],
    ["committed", receipt.committedAt],
    ["received", receipt.receivedAt ?? "not when this receipt was made"],
    ["in the log", `${receipt.stream}, revision ${receipt.revision}, position ${receipt.position}`],
    ...(content === undefined ? [] : [["content", `${content} is what was handed in`]]),
  ]
    .map(([name = "", value]) => `${name.padEnd(11)} ${value}\n`)
    .join("");
