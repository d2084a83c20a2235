import type { TestProject } from "vitest/node";
import { startBroker } from "./broker.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where the run's shared servers are to be had. */
    broker: string;
  }
}

/** Vitest's set-up of a run: nothing is started yet but what starts the rest when it is asked. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const broker = await startBroker();
  project.provide("broker", broker.url);
  return () => broker.stop();
}
