import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { writePrivately } from "./write-privately.ts";

const ProcessIdentity = z.object({ pid: z.int().positive(), startedAt: z.string() });

const PlatformFile = z.object({
  supervisor: ProcessIdentity,
  processes: z.record(z.string(), ProcessIdentity),
  /** The gateway's address, and those of the engines. */
  url: z.string(),
  eventstoreUrl: z.string(),
  natsUrl: z.string(),
  /** Every database with the login of the projector that fills it. */
  projectorUrls: z.object({ live: z.string(), auth: z.string(), reports: z.string() }),
  /** Private Ed25519 JWKs as JSON. */
  authSigningKeys: z.string(),
});

/** What a running platform leaves in its folder so that other commands find it, and the next start its remains. */
export type PlatformFile = z.infer<typeof PlatformFile>;

const fileIn = (folder: string) => join(folder, "platform.json");

/** What the folder's platform wrote, if it still runs or was killed; `undefined` if it was stopped or never started. */
export function readPlatformFile(folder: string): PlatformFile | undefined {
  const file = fileIn(folder);
  return existsSync(file) ? PlatformFile.parse(JSON.parse(readFileSync(file, "utf8"))) : undefined;
}

export const writePlatformFile = (folder: string, content: PlatformFile): void =>
  writePrivately(fileIn(folder), content);

export const removePlatformFile = (folder: string): void => rmSync(fileIn(folder), { force: true });
