import { join } from "node:path";
import type { SettingName, WorkerManifest } from "@carillon/platform";

const here = import.meta.dirname;
const hashThreads = ["hash-thread.ts", "formats.ts"].map((file) => join(here, "../login/passwords", file));

/** How each worker of this package is started, and what it may touch. */
export const manifests = {
  auth: {
    module: join(here, "auth.ts"),
    runtime: "deno",
    settings: ["EVENTSTORE_URL", "NATS_URL", "AUTH_DATABASE_URL", "AUTH_SIGNING_KEYS", "REFRESH_TOKEN_KEY"],
    native: true, // argon2, bcrypt
    threads: { modules: hashThreads },
  },
  api: {
    module: join(here, "api.ts"),
    runtime: "deno",
    settings: [
      "EVENTSTORE_URL",
      "NATS_URL",
      "DATABASE_URL",
      "AUTH_JWKS_URL",
      "RECEIPT_SIGNING_KEYS",
      "OBJECTS_URL",
    ],
    native: true, // argon2, for the passwords of those who are enrolled
    // Enrolling can wait: most logins are on the other worker, and its threads are as many as there are cores.
    threads: { modules: hashThreads, count: 1 },
  },
  reports: {
    module: join(here, "reports.ts"),
    runtime: "deno",
    settings: ["NATS_URL", "REPORTS_DATABASE_URL", "AUTH_JWKS_URL"],
  },
  gateway: {
    module: join(here, "gateway.ts"),
    runtime: "deno",
    settings: ["AUTH_URL", "API_URL", "REPORTS_URL"],
  },
} as const satisfies Record<string, WorkerManifest<SettingName>>;
