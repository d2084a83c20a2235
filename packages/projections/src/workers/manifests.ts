import { join } from "node:path";
import type { SettingName, WorkerManifest } from "@carillon/platform";

/** How each worker of this package is started, and what it may touch. */
export const manifests = {
  relay: {
    module: join(import.meta.dirname, "relay.ts"),
    runtime: "deno",
    settings: ["EVENTSTORE_URL", "NATS_URL"],
  },
  projector: {
    module: join(import.meta.dirname, "projector.ts"),
    runtime: "deno",
    settings: ["EVENTSTORE_URL", "NATS_URL", "DATABASE_URL", "PROJECTIONS"],
    background: true,
  },
} as const satisfies Record<string, WorkerManifest<SettingName>>;
