import { manifests as api } from "@carillon/api/manifests";
import { manifests as processing } from "@carillon/processing/manifests";
import { manifests as projections } from "@carillon/projections/manifests";
import type { WorkerStart } from "./command-line.ts";

/** Every worker of a platform, by the name of its process. */
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
export type WorkerName = (typeof workerNames)[number];

/** The addresses of the three databases. */
export interface DatabaseUrls {
  readonly live: string;
  readonly auth: string;
  readonly reports: string;
}

/** Where the engines are. */
export interface EngineAddresses {
  readonly eventstoreUrl: string;
  readonly natsUrl: string;
  /** Undefined where content is kept in NATS. */
  readonly objectsUrl: string | undefined;
  /** With the owner's login. */
  readonly databaseUrls: DatabaseUrls;
}

/** What only the workers of a platform know. Keys as their settings want them. */
export interface WorkerSecrets {
  readonly AUTH_SIGNING_KEYS: string;
  readonly RECEIPT_SIGNING_KEYS: string;
  readonly REFRESH_TOKEN_KEY: string;
  /** Of the roles `carillon_projector` and `carillon_reader`. */
  readonly projectorPassword: string;
  readonly readerPassword: string;
}

/** The same database with another login. */
export function withLogin(url: string, user: string, password: string): string {
  const changed = new URL(url);
  changed.username = user;
  changed.password = password;
  return changed.href;
}

/** Every database with the login of the role that fills it. */
export function projectorUrls(
  { live, auth, reports }: DatabaseUrls,
  { projectorPassword }: Pick<WorkerSecrets, "projectorPassword">,
): DatabaseUrls {
  const toWrite = (url: string) => withLogin(url, "carillon_projector", projectorPassword);
  return { live: toWrite(live), auth: toWrite(auth), reports: toWrite(reports) };
}

/** Every worker of a platform as it is to be started. What a worker gets of the settings, its manifest says. */
export function platformWorkers(
  ports: Readonly<Record<WorkerName, number>>,
  { eventstoreUrl, natsUrl, objectsUrl, databaseUrls }: EngineAddresses,
  secrets: WorkerSecrets,
): readonly (WorkerStart & { readonly name: WorkerName })[] {
  const at = (name: WorkerName) => `http://127.0.0.1:${ports[name]}`;
  const toRead = (url: string) => withLogin(url, "carillon_reader", secrets.readerPassword);
  const settings = {
    EVENTSTORE_URL: eventstoreUrl,
    NATS_URL: natsUrl,
    OBJECTS_URL: objectsUrl,
    DATABASE_URL: toRead(databaseUrls.live),
    AUTH_DATABASE_URL: toRead(databaseUrls.auth),
    REPORTS_DATABASE_URL: toRead(databaseUrls.reports),
    AUTH_SIGNING_KEYS: secrets.AUTH_SIGNING_KEYS,
    AUTH_JWKS_URL: `${at("auth")}/.well-known/jwks.json`,
    REFRESH_TOKEN_KEY: secrets.REFRESH_TOKEN_KEY,
    RECEIPT_SIGNING_KEYS: secrets.RECEIPT_SIGNING_KEYS,
    AUTH_URL: at("auth"),
    API_URL: at("api"),
    REPORTS_URL: at("reports"),
  };
  const filled = projectorUrls(databaseUrls, secrets);
  const projector = (name: WorkerName, url: string, ...names: string[]) => ({
    name,
    manifest: projections.projector,
    settings: { ...settings, DATABASE_URL: url, PROJECTIONS: names.join(",") },
  });
  const workers = [
    { name: "relay", manifest: projections.relay, settings },
    projector("projector-live", filled.live, "directory", "submissions"),
    projector("projector-auth", filled.auth, "credentials"),
    projector("projector-reports", filled.reports, "class_progress"),
    { name: "processing", manifest: processing.processing, settings },
    { name: "auth", manifest: api.auth, settings },
    { name: "api", manifest: api.api, settings },
    { name: "reports", manifest: api.reports, settings },
    { name: "gateway", manifest: api.gateway, settings },
  ] as const;
  return workers.map((worker) => ({ ...worker, port: ports[worker.name] }));
}
