import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  type DatabaseUrls,
  databases,
  eventStoreProcess,
  type NatsAccount,
  natsProcess,
  owner,
  type ProcessSpec,
  postgresProcess,
  withLogin,
} from "@carillon/launcher";
import { migrateDatabases } from "@carillon/projections";
import { freePort } from "./free-port.ts";
import { clusterPasswords, clusterTemplate, testSettings } from "./postgres-template.ts";
import { startReady } from "./test-process.ts";

/** A real server that a test has to itself, and may kill. */
export interface TestServer {
  readonly url: string;
  /** Stops it and deletes its folder. */
  stop(): Promise<void>;
  /** Ends the process as a power cut does; the folder stays. */
  kill9(): Promise<unknown>;
  /** Starts it again, on the same port and folder; stops it first if it runs. */
  restart(): Promise<void>;
}

export type TestDatabase = keyof DatabaseUrls;

/** The three databases of a platform. */
export interface TestDatabases {
  /** With the owner's login: what `migrateDatabases` takes. */
  readonly ownerUrls: DatabaseUrls;
  /** The address of a database for another role. */
  urlAs(role: string, password: string, database: TestDatabase): string;
}

export interface TestPostgres extends TestServer, TestDatabases {
  /** The superuser's address, for what only a test does. */
  readonly url: string;
}

/** The passwords of the roles that workers connect as, in every test. */
export const passwords = { projectorPassword: "projector", readerPassword: "reader" };

/** Three databases, given their addresses for the owner. */
export const testDatabases = (ownerUrls: DatabaseUrls): TestDatabases => ({
  ownerUrls,
  urlAs: (role, password, database) => withLogin(ownerUrls[database], role, password),
});

async function startServer(spec: ProcessSpec, url: string, folder: string): Promise<TestServer> {
  const server = await startReady(spec);
  return {
    url,
    kill9: server.kill9,
    restart: server.restart,
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Starts a Postgres of its own, with the three empty databases that an operator's has. Nothing is migrated. */
export async function startPostgres(): Promise<TestPostgres> {
  const folder = await newFolder("postgres");
  // The server's own user has to pass through.
  await chmod(folder, 0o755);
  const cluster = join(folder, "data");
  await promisify(execFile)("cp", ["-a", await clusterTemplate(), cluster]);
  const port = await freePort();
  const spec = await postgresProcess({ folder: cluster, port, ...clusterPasswords, settings: testSettings });
  const address = (user: string, password: string, database: string) =>
    `postgres://${user}:${password}@127.0.0.1:${port}/${database}`;
  const url = address("postgres", clusterPasswords.superuserPassword, "postgres");
  const ownerUrl = (name: string) => address(owner, clusterPasswords.ownerPassword, name);
  const { live, auth, reports } = databases;
  return {
    ...(await startServer(spec, url, folder)),
    ...testDatabases({ live: ownerUrl(live), auth: ownerUrl(auth), reports: ownerUrl(reports) }),
  };
}

/** Starts a Postgres of its own whose databases are migrated. */
export async function startMigratedPostgres(
  migrate = (urls: DatabaseUrls) => migrateDatabases(urls, passwords),
): Promise<TestPostgres> {
  const postgres = await startPostgres();
  await migrate(postgres.ownerUrls);
  return postgres;
}

/** Starts a NATS server of its own, with JetStream. */
export async function startNats(accounts: readonly NatsAccount[] = []): Promise<TestServer> {
  const folder = await newFolder("nats");
  const [port, monitoringPort] = [await freePort(), await freePort()];
  const spec = natsProcess({ folder, port, monitoringPort, accounts });
  return startServer(spec, `nats://127.0.0.1:${port}`, folder);
}

/** Starts an embedded event-store node of its own. */
export async function startEventStore(): Promise<TestServer> {
  const folder = await newFolder("eventstore");
  const port = await freePort();
  return startServer(eventStoreProcess({ folder, port }), `esdb://127.0.0.1:${port}?tls=false`, folder);
}

const newFolder = (name: string) => mkdtemp(join(tmpdir(), `carillon-test-${name}-`));
