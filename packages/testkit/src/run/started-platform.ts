import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { startUp } from "../platform/command-line.ts";
import type { StartedPlatform } from "./offers.ts";

/** Starts a platform in a temporary folder as an operator does. */
export async function startPlatform(): Promise<StartedPlatform & { stop(): Promise<void> }> {
  const data = await mkdtemp(join(tmpdir(), "carillon-test-platform-"));
  const platform = startUp(data);
  // A run that is ended leaves no platform behind.
  const end = () => platform.child.kill("SIGTERM");
  process.once("exit", end);
  const url = await platform.ready;
  return {
    data,
    url,
    async stop() {
      const code = await platform.stop();
      process.off("exit", end);
      await rm(data, { recursive: true, force: true });
      if (code !== 0) throw new Error(`carillon up ended with exit code ${code}`);
    },
  };
}
