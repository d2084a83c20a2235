import { createRequire } from "node:module";
import process from "node:process";
import { inheritedEnvironment } from "../supervisor/inherited-environment.ts";
import type { ProcessSpec } from "../supervisor/process-spec.ts";

export interface EventStoreNode {
  readonly folder: string;
  readonly port: number;
}

const main = createRequire(import.meta.url).resolve("@carillon/eventstore-node/main");

/** The embedded event-store node, as a process to supervise. It listens on 127.0.0.1 only. */
export const eventStoreProcess = ({ folder, port }: EventStoreNode): ProcessSpec => ({
  name: "eventstore",
  command: process.execPath,
  args: [main, "--dir", folder, "--host", "127.0.0.1", "--port", `${port}`],
  env: inheritedEnvironment("PATH", "NODE_COMPILE_CACHE"),
  readiness: { kind: "line", pattern: /^eventstore ready/ },
});
