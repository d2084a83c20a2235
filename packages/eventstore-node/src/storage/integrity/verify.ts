import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { storeFile } from "../store-file.ts";

/** What a full check of a folder found. */
export interface Verification {
  readonly events: number;
  readonly streams: number;
  /** What is damaged and where, a line each; empty when all is well. Ends after the first hundred. */
  readonly damage: readonly string[];
}

/** What the checking process says, a line of JSON each. */
export type VerifyMessage =
  | { readonly kind: "reached"; readonly where: string }
  | { readonly kind: "damage"; readonly text: string }
  | { readonly kind: "done"; readonly events: number; readonly streams: number };

/**
 * Checks everything in the folder `dir`: each event against its checksum, its position and its entry in the index, and each
 * index entry and stream head against the events. A node may run on the folder meanwhile: the check sees one moment.
 * It happens in a process of its own, because a map of a damaged file can end the process that reads it.
 * @throws when the folder has no events, not even damaged ones.
 */
export async function verifyFolder(dir: string): Promise<Verification> {
  if (!existsSync(storeFile(dir))) throw new Error(`the folder ${dir} has no events`);
  const main = fileURLToPath(new URL("./verify-process.ts", import.meta.url));
  const child = spawn(process.execPath, [main, dir], { stdio: ["ignore", "pipe", "ignore"] });
  const exited = once(child, "exit");
  const damage: string[] = [];
  let where = "its start";
  let done: { events: number; streams: number } | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const message: VerifyMessage = JSON.parse(line);
    if (message.kind === "damage") damage.push(message.text);
    else if (message.kind === "reached") where = message.where;
    else done = message;
  }
  const [code, signal] = await exited;
  if (done === undefined)
    damage.push(`reading it ended with ${signal ?? `exit code ${code}`}, past ${where}`);
  return { events: done?.events ?? 0, streams: done?.streams ?? 0, damage };
}
