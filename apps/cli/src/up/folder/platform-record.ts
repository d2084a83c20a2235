import process from "node:process";
import type { EngineAddresses } from "@carillon/launcher";
import { identify, projectorUrls } from "@carillon/launcher";
import { type PlatformFile, writePlatformFile } from "./platform-file.ts";
import type { Secrets } from "./secrets.ts";

/** What a running platform writes about itself into its folder, kept up to date. */
export interface PlatformRecord {
  /** Takes down that a process of this name runs with this pid. */
  started(name: string, pid: number): void;
  /** Takes down what the workers sign and log in with by now. */
  renewed(secrets: Secrets): void;
}

/** Writes the record for the first time. */
export function recordPlatform(
  folder: string,
  url: string,
  { eventstoreUrl, natsUrl, databaseUrls }: EngineAddresses,
  secrets: Secrets,
): PlatformRecord {
  const supervisor = identify(process.pid);
  if (supervisor === undefined) throw new Error("cannot tell when this process was started");
  const of = (newest: Secrets) => ({
    projectorUrls: projectorUrls(databaseUrls, newest),
    authSigningKeys: newest.AUTH_SIGNING_KEYS,
  });
  let content: PlatformFile = { supervisor, processes: {}, url, eventstoreUrl, natsUrl, ...of(secrets) };
  const write = (changed: Partial<PlatformFile>) => {
    content = { ...content, ...changed };
    writePlatformFile(folder, content);
  };
  write({});

  return {
    started(name, pid) {
      const identity = identify(pid);
      write(identity === undefined ? {} : { processes: { ...content.processes, [name]: identity } });
    },
    renewed: (newest) => write(of(newest)),
  };
}
