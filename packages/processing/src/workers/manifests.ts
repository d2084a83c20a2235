import { join } from "node:path";
import type { SettingName, WorkerManifest } from "@carillon/platform";

/** How each worker of this package is started, and what it may touch. */
export const manifests = {
  processing: {
    module: join(import.meta.dirname, "processing.ts"),
    runtime: "deno",
    settings: ["EVENTSTORE_URL", "NATS_URL", "DATABASE_URL", "OBJECTS_URL"],
    background: true,
  },
} as const satisfies Record<string, WorkerManifest<SettingName>>;
