import { randomBytes } from "node:crypto";
import type { DatabaseUrls } from "@carillon/launcher";
import type { Runtime, SigningKey } from "@carillon/platform";
import { newDatabases, newNatsAccount, sharedPlatform } from "../run/shared.ts";
import { newSigningKey } from "../school/tokens.ts";
import { passwords, startEventStore, type TestDatabase, testDatabases } from "../servers/servers.ts";
import { startWorker, type TestWorker } from "./test-worker.ts";

/** What workers run on: a log, a bus, databases and keys. */
export interface Servers {
  readonly log: { readonly EVENTSTORE_URL: string; readonly NATS_URL: string };
  readonly signingKey: SigningKey;
  readonly receiptKey: SigningKey;
  readonly refreshKey: string;
  /** The addresses of the databases for the owner. */
  readonly owner: DatabaseUrls;
  /** The address of a database for the role that reads. */
  reader(database: TestDatabase): string;
  /** Starts a relay. */
  startRelay(): Promise<TestWorker>;
  /** Starts a projector of these projections. */
  startProjector(database: TestDatabase, ...projections: string[]): Promise<TestWorker>;
}

interface ServersToStop extends Servers {
  readonly eventStore: Awaited<ReturnType<typeof startEventStore>>;
  stop(): Promise<void>;
}

/** Servers of one's own for workers: an event store that may be killed, and databases and a JetStream in the run's. */
export async function startServers(): Promise<ServersToStop> {
  const [{ ownerUrls }, natsUrl, eventStore] = await Promise.all([
    newDatabases(),
    newNatsAccount(),
    startEventStore(),
  ]);
  const keys = {
    signingKey: newSigningKey("auth-1"),
    receiptKey: newSigningKey("receipts-1"),
    refreshKey: randomBytes(32).toString("base64url"),
  };
  return {
    ...serversAt({ EVENTSTORE_URL: eventStore.url, NATS_URL: natsUrl }, ownerUrls, keys),
    eventStore,
    stop: () => eventStore.stop(),
  };
}

function serversAt(
  log: Servers["log"],
  owner: DatabaseUrls,
  keys: Pick<Servers, "signingKey" | "receiptKey" | "refreshKey">,
): Servers {
  const { urlAs } = testDatabases(owner);
  return {
    ...keys,
    log,
    owner,
    reader: (database) => urlAs("carillon_reader", passwords.readerPassword, database),
    startRelay: () => startWorker("node", "relay", log),
    startProjector: (database, ...projections) =>
      startWorker("node", "projector", {
        ...log,
        PROJECTIONS: projections.join(","),
        DATABASE_URL: urlAs("carillon_projector", passwords.projectorPassword, database),
      }),
  };
}

/** The settings of every worker that clients reach but the gateway, given where `auth` is. */
export const settingsFor = (servers: Servers, authUrl = "http://127.0.0.1:1") => {
  const jwks = { AUTH_JWKS_URL: `${authUrl}/.well-known/jwks.json` };
  return {
    auth: {
      ...servers.log,
      AUTH_DATABASE_URL: servers.reader("auth"),
      AUTH_SIGNING_KEYS: JSON.stringify([servers.signingKey]),
      REFRESH_TOKEN_KEY: servers.refreshKey,
    },
    api: {
      ...servers.log,
      ...jwks,
      DATABASE_URL: servers.reader("live"),
      RECEIPT_SIGNING_KEYS: JSON.stringify([servers.receiptKey]),
    },
    reports: { NATS_URL: servers.log.NATS_URL, ...jwks, REPORTS_DATABASE_URL: servers.reader("reports") },
  };
};

/** Starts the four workers that clients reach, on a runtime. */
export async function startWorkers(runtime: Runtime, servers: Servers) {
  const auth = await startWorker(runtime, "auth", settingsFor(servers).auth);
  const settings = settingsFor(servers, auth.url);
  const [api, reports] = await Promise.all([
    startWorker(runtime, "api", settings.api),
    startWorker(runtime, "reports", settings.reports),
  ]);
  const gateway = await startWorker(runtime, "gateway", {
    AUTH_URL: auth.url,
    API_URL: api.url,
    REPORTS_URL: reports.url,
  });
  const stop = async () => {
    for (const worker of [gateway, auth, api, reports]) {
      const code = await worker.stop();
      if (code !== 0) throw new Error(`a worker ended with ${code}: ${worker.output()}`);
    }
  };
  return { auth, api, reports, gateway, stop };
}
export type Workers = Awaited<ReturnType<typeof startWorkers>>;

/** The run's platform: its servers, and the addresses of its workers on a runtime. */
export async function sharedWorkers(runtime: Runtime) {
  const { eventstoreUrl, natsUrl, databaseUrls, secrets, urls } = await sharedPlatform();
  const firstKey = (keys: string) => JSON.parse(keys)[0] as SigningKey;
  const servers = serversAt({ EVENTSTORE_URL: eventstoreUrl, NATS_URL: natsUrl }, databaseUrls, {
    signingKey: firstKey(secrets.AUTH_SIGNING_KEYS),
    receiptKey: firstKey(secrets.RECEIPT_SIGNING_KEYS),
    refreshKey: secrets.REFRESH_TOKEN_KEY,
  });
  const { auth, api, reports, gateway } = urls[runtime];
  return {
    servers,
    auth: { url: auth },
    api: { url: api },
    reports: { url: reports },
    gateway: { url: gateway },
  };
}
export type SharedWorkers = Awaited<ReturnType<typeof sharedWorkers>>;
