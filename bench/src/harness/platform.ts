import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type RunningPlatform, startPlatform } from "@carillon/cli/up";

/** A whole platform of our own, and what only its folder tells. */
export interface OwnPlatform {
  readonly platform: RunningPlatform;
  /** Of each process that has one. */
  readonly ports: Readonly<Record<string, number>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly eventstoreUrl: string;
  readonly natsUrl: string;
  /** Every database with the login of the projector that fills it. */
  readonly projectorUrls: Readonly<Record<"live" | "auth" | "reports", string>>;
  /** The superuser's address of its Postgres. */
  readonly postgresUrl: string;
}

/** Starts the whole platform in `folder` as `carillon up` does. Whatever ends us ends its processes too. */
export async function startOwnPlatform(folder: string): Promise<OwnPlatform> {
  const data = join(folder, "platform");
  const read = (name: string) => JSON.parse(readFileSync(join(data, `${name}.json`), "utf8"));
  // Before the folder is removed: the platform's file names every process that has been started.
  process.prependOnceListener("exit", () => {
    if (!existsSync(join(data, "platform.json"))) return;
    const { processes } = read("platform") as { processes: Record<string, { pid: number }> };
    for (const { pid } of Object.values(processes)) endIfThere(pid);
  });
  const platform = await startPlatform({ data });
  const [ports, secrets, addresses] = [read("ports"), read("secrets"), read("platform")];
  return {
    platform,
    ports,
    secrets,
    eventstoreUrl: addresses.eventstoreUrl,
    natsUrl: addresses.natsUrl,
    projectorUrls: addresses.projectorUrls,
    postgresUrl: `postgres://postgres:${secrets.superuserPassword}@127.0.0.1:${ports.postgres}/postgres`,
  };
}

function endIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}
