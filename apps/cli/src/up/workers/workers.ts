import { join } from "node:path";
import { type DatabaseUrls, withLogin } from "../engines/engine-settings.ts";
import type { EngineAddresses } from "../engines/engines.ts";
import type { Secrets } from "../folder/secrets.ts";
import type { Worker } from "./deno-serve.ts";

export const workerNames = [
  "gateway",
  "relay",
  "projector-live",
  "projector-auth",
  "projector-reports",
  "processing",
  "auth",
  "api",
  "reports",
] as const;
type WorkerName = (typeof workerNames)[number];

const packages = join(import.meta.dirname, "../../../../../packages");
const projections = (file: string) => join(packages, "projections/src/workers", file);
const processing = (file: string) => join(packages, "processing/src/workers", file);
const api = (file: string) => join(packages, "api/src/workers", file);
const hashThreads = ["hash-thread.ts", "formats.ts"].map((file) =>
  join(packages, "api/src/login/passwords", file),
);

/** Every database with the login of who fills it. */
export function projectorUrls(
  { live, auth, reports }: DatabaseUrls,
  { projectorPassword }: Secrets,
): DatabaseUrls {
  const toWrite = (url: string) => withLogin(url, "carillon_projector", projectorPassword);
  return { live: toWrite(live), auth: toWrite(auth), reports: toWrite(reports) };
}

/** Every worker of the platform: the module, its port, its settings, and so its permissions. */
export function workers(
  ports: Readonly<Record<WorkerName, number>>,
  { eventstoreUrl, natsUrl, objectsUrl, databaseUrls }: EngineAddresses,
  secrets: Secrets,
): readonly Worker[] {
  const at = (name: WorkerName) => `http://127.0.0.1:${ports[name]}`;
  const log = { EVENTSTORE_URL: eventstoreUrl, NATS_URL: natsUrl };
  const content = objectsUrl === undefined ? {} : { OBJECTS_URL: objectsUrl };
  const jwks = { AUTH_JWKS_URL: `${at("auth")}/.well-known/jwks.json` };
  const toRead = (url: string) => withLogin(url, "carillon_reader", secrets.readerPassword);
  const filled = projectorUrls(databaseUrls, secrets);
  const projector = (name: WorkerName, names: string, url: string) => ({
    name,
    module: projections("projector.ts"),
    background: true,
    settings: {
      ...log,
      PROJECTIONS: names,
      DATABASE_URL: url,
    },
  });

  const table: readonly (Omit<Worker, "port"> & { name: WorkerName })[] = [
    { name: "relay", module: projections("relay.ts"), settings: log },
    projector("projector-live", "directory,submissions", filled.live),
    projector("projector-auth", "credentials", filled.auth),
    projector("projector-reports", "class_progress", filled.reports),
    {
      name: "processing",
      module: processing("processing.ts"),
      background: true,
      settings: { ...log, ...content, DATABASE_URL: toRead(databaseUrls.live) },
    },
    {
      name: "auth",
      module: api("auth.ts"),
      native: true, // argon2, bcrypt
      threads: hashThreads,
      settings: {
        ...log,
        AUTH_DATABASE_URL: toRead(databaseUrls.auth),
        AUTH_SIGNING_KEYS: secrets.AUTH_SIGNING_KEYS,
        REFRESH_TOKEN_KEY: secrets.REFRESH_TOKEN_KEY,
      },
    },
    {
      name: "api",
      module: api("api.ts"),
      native: true, // argon2, for the passwords of those who are enrolled
      threads: hashThreads,
      settings: {
        ...log,
        ...content,
        ...jwks,
        DATABASE_URL: toRead(databaseUrls.live),
        RECEIPT_SIGNING_KEYS: secrets.RECEIPT_SIGNING_KEYS,
      },
    },
    {
      name: "reports",
      module: api("reports.ts"),
      settings: { NATS_URL: natsUrl, ...jwks, REPORTS_DATABASE_URL: toRead(databaseUrls.reports) },
    },
    {
      name: "gateway",
      module: api("gateway.ts"),
      settings: { AUTH_URL: at("auth"), API_URL: at("api"), REPORTS_URL: at("reports") },
    },
  ];
  return table.map((worker) => ({ ...worker, port: ports[worker.name] }));
}
