import { execFile } from "node:child_process";
import { chmod, mkdtemp, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import pg from "pg";
import { freePort } from "./free-port.ts";
import {
  databases,
  owner,
  postgresFlags,
  postgresProgram,
  postgresTemplate,
  superuser,
} from "./postgres-template.ts";
import { accepts, startServerProcess, type TestServer } from "./server-process.ts";

export { freePort } from "./free-port.ts";
export { openRoundTrips, type RoundTrips } from "./round-trips.ts";
export type { TestServer } from "./server-process.ts";

export type TestDatabase = keyof typeof databases;

/** A Postgres with the three databases, which belong to `carillon_owner`. Nothing is migrated. */
export interface TestPostgres extends TestServer {
  /** The superuser's address, for what only a test does. */
  readonly url: string;
  /** What `migrateDatabases` takes. */
  readonly ownerUrls: Record<TestDatabase, string>;
  /** The address of a database for a role that the migrations made. */
  urlAs(role: string, password: string, database: TestDatabase): string;
}

/** Starts Postgres on a free port. */
export async function startPostgres(): Promise<TestPostgres> {
  const template = await postgresTemplate();
  const dir = await temporaryFolder("postgres");
  // The server's own user has to pass through.
  await chmod(dir, 0o755);
  const data = join(dir, "data");
  await promisify(execFile)("cp", ["-a", template, data]);
  const { uid, gid } = await stat(template);
  const port = await freePort();
  const address = (user: string, password: string, database: string) =>
    `postgres://${user}:${password}@127.0.0.1:${port}/${database}`;
  const url = address(superuser.user, superuser.password, "postgres");
  const server = await startServerProcess({
    url,
    dir,
    command: await postgresProgram(),
    args: ["-D", data, "-p", String(port), "-h", "127.0.0.1", "-k", "", ...postgresFlags],
    options: process.getuid?.() === 0 ? { uid, gid } : {},
    answers: () => answersQuery(url),
  });
  const ownerUrl = (database: string) => address(owner.user, owner.password, database);
  return {
    ...server,
    ownerUrls: {
      live: ownerUrl(databases.live),
      auth: ownerUrl(databases.auth),
      reports: ownerUrl(databases.reports),
    },
    urlAs: (role, password, database) => address(role, password, databases[database]),
  };
}

/** Starts NATS with JetStream on a free port. */
export async function startNats(): Promise<TestServer> {
  const dir = await temporaryFolder("nats");
  const port = await freePort();
  return startServerProcess({
    url: `nats://127.0.0.1:${port}`,
    dir,
    command: "nats-server",
    args: ["-a", "127.0.0.1", "-p", String(port), "-js", "-sd", dir],
    options: {
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin:/opt/homebrew/bin` },
    },
    answers: () => accepts(port),
  });
}

/** Starts the embedded event-store node on a free port. */
export async function startEventStore(): Promise<TestServer> {
  const dir = await temporaryFolder("eventstore");
  const port = await freePort();
  return startServerProcess({
    url: `esdb://127.0.0.1:${port}?tls=false`,
    dir,
    command: process.execPath,
    args: [fileURLToPath(new URL("./event-store-process.ts", import.meta.url)), dir, String(port)],
    answers: () => accepts(port),
  });
}

const temporaryFolder = (name: string) => mkdtemp(join(tmpdir(), `carillon-test-${name}-`));

async function answersQuery(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query("select 1");
  } finally {
    await client.end();
  }
}
