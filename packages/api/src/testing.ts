import { Buffer } from "node:buffer";
import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import {
  type Actor,
  type ClassId,
  type Role,
  SessionId,
  type TenantId,
  type TenantProfile,
} from "@carillon/domain";
import { type SigningKey, signAccessToken } from "@carillon/platform";
import { freePort, startEventStore, startNats, startPostgres } from "@carillon/platform/testing";
import { migrateDatabases } from "@carillon/projections";
import { createTRPCClient, httpLink, TRPCClientError } from "@trpc/client";
import type { AppRouter } from "./index.ts";

/** Where the worker modules run: the same tests hold on both. */
export const runtimes = ["deno", "node"] as const;
export type Runtime = (typeof runtimes)[number];

export type WorkerName = "auth" | "api" | "reports" | "gateway";
export type Settings = Readonly<Record<string, string>>;

const repository = join(import.meta.dirname, "../../..");
const deno = join(repository, "node_modules/deno/deno");
const serveNode = join(import.meta.dirname, "workers/serve-node.ts");
const startTimeoutMs = 120_000;

// A test run that is ended leaves no process behind.
const children = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

/** A worker in a process of its own. */
export interface TestWorker {
  readonly url: string;
  /** What it has printed. */
  output(): string;
  /** Asks it to stop and gives its exit code. */
  stop(): Promise<number | null>;
  /** Ends it as a power cut does. */
  kill9(): Promise<unknown>;
}

/** The module of one of this room's workers. */
export const workerModule = (name: WorkerName) => join(import.meta.dirname, "workers", `${name}.ts`);

/** Starts a worker module on a runtime, with its own settings and nothing more. It may end at once: see `exited`. */
export async function launchWorker(runtime: Runtime, module: string, settings: Settings) {
  const port = await freePort();
  const [command, args] =
    runtime === "deno"
      ? [deno, denoArgs(module, port, settings)]
      : [process.execPath, nodeArgs(module, port)];
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env.PATH, HOME: process.env.HOME, NO_COLOR: "1", ...settings },
  });
  let printed = "";
  const keep = (chunk: Buffer) => {
    printed += chunk;
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  children.add(child);
  const exited = once(child, "close").then(([code]: (number | null)[]) => {
    children.delete(child);
    return code ?? null;
  });
  return {
    url: `http://127.0.0.1:${port}`,
    output: () => printed,
    exited,
    running: () => child.exitCode === null && child.signalCode === null,
    stop() {
      child.kill("SIGTERM");
      return exited;
    },
    kill9() {
      child.kill("SIGKILL");
      return exited;
    },
  };
}

/** Starts a worker and resolves when it is ready. */
export async function startWorker(runtime: Runtime, module: string, settings: Settings): Promise<TestWorker> {
  const worker = await launchWorker(runtime, module, settings);
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    const ready = await fetch(`${worker.url}/readyz`).catch(() => undefined);
    if (ready?.ok) return worker;
    if (worker.running() && Date.now() < deadline) {
      await delay(20);
      continue;
    }
    await worker.stop();
    throw new Error(`${module} did not become ready on ${runtime}: ${worker.output()}`);
  }
}

const nodeArgs = (module: string, port: number) => [serveNode, module, "--port", String(port)];

/**
 * The permissions that a worker has in production: to reach its servers and to read its settings. What libraries
 * merely look for is hidden from them.
 */
function denoArgs(module: string, port: number, settings: Settings): string[] {
  const servers = Object.values(settings).flatMap((value) =>
    URL.canParse(value) ? [new URL(value).host] : [],
  );
  return [
    ...["serve", "--node-modules-dir=manual", "--no-remote", "--no-lock", "--no-prompt"],
    // The newer meaning of a request's signal: it aborts only when its client has gone.
    "--unstable-no-legacy-abort",
    `--allow-net=${[`127.0.0.1:${port}`, ...servers].join(",")}`,
    ...[`--allow-env=${Object.keys(settings).join(",")}`, "--ignore-env", "--ignore-read"],
    ...(hashesPasswords(module) ? hashThreads : ["--allow-sys=hostname"]),
    ...["--host", "127.0.0.1", "--port", String(port), module],
  ];
}

const hashesPasswords = (module: string) => module === workerModule("auth") || module === workerModule("api");

/**
 * To start threads of low priority that load argon2 and bcrypt, which look into `ldd` for the C library that they need.
 */
const hashThreads = [
  `--allow-ffi=${join(repository, "node_modules")}`,
  `--allow-read=${[
    join(repository, "node_modules"),
    "/usr/bin/ldd",
    join(import.meta.dirname, "login/passwords/hash-thread.ts"),
    join(import.meta.dirname, "login/passwords/formats.ts"),
  ].join(",")}`,
  "--allow-sys=hostname,setPriority",
];

/** A new key that signs tokens or receipts. */
export function newSigningKey(kid: string): SigningKey {
  const { privateKey } = generateKeyPairSync("ed25519");
  return { ...privateKey.export({ format: "jwk" }), kid, alg: "EdDSA" } as SigningKey;
}

/** The servers behind the workers, their databases migrated, and everybody's settings for them. */
export async function startServers() {
  const [postgres, nats, eventStore] = await Promise.all([startPostgres(), startNats(), startEventStore()]);
  const passwords = { projectorPassword: "projector", readerPassword: "reader" };
  await migrateDatabases(postgres.ownerUrls, passwords);
  const log = { EVENTSTORE_URL: eventStore.url, NATS_URL: nats.url };
  const signingKey = newSigningKey("auth-1");
  return {
    log,
    eventStore,
    signingKey,
    receiptKey: newSigningKey("receipts-1"),
    refreshKey: randomBytes(32).toString("base64url"),
    reader: (database: "live" | "auth" | "reports") =>
      postgres.urlAs("carillon_reader", passwords.readerPassword, database),
    owner: postgres.ownerUrls,
    /** Starts the relay, or a projector of these projections. */
    startRelay: () => startWorker("node", projectionsModule("relay"), log),
    startProjector: (database: "live" | "auth" | "reports", ...projections: string[]) =>
      startWorker("node", projectionsModule("projector"), {
        ...log,
        PROJECTIONS: projections.join(","),
        DATABASE_URL: postgres.urlAs("carillon_projector", passwords.projectorPassword, database),
      }),
    stop: () => Promise.all([postgres.stop(), nats.stop(), eventStore.stop()]),
  };
}
export type Servers = Awaited<ReturnType<typeof startServers>>;

const projections = join(repository, "packages/projections/src");
const projectionsModule = (name: string) => join(projections, "workers", `${name}.ts`);

/** The settings of every worker of this room but the gateway, given where `auth` is. */
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
  } satisfies Partial<Record<WorkerName, Settings>>;
};

/** Starts the four workers on a runtime. */
export async function startWorkers(runtime: Runtime, servers: Servers) {
  const auth = await startWorker(runtime, workerModule("auth"), settingsFor(servers).auth);
  const settings = settingsFor(servers, auth.url);
  const [api, reports] = await Promise.all([
    startWorker(runtime, workerModule("api"), settings.api),
    startWorker(runtime, workerModule("reports"), settings.reports),
  ]);
  const gateway = await startWorker(runtime, workerModule("gateway"), {
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

/** A client of the gateway that speaks for who holds the token. */
export const clientOf = (url: string, token?: string, headers: Record<string, string> = {}) =>
  createTRPCClient<AppRouter>({
    links: [
      httpLink({
        url: `${url}/trpc`,
        headers: { ...headers, ...(token && { authorization: `Bearer ${token}` }) },
      }),
    ],
  });
export type Client = ReturnType<typeof clientOf>;

/** A token as the operator's command line makes it. */
export const operatorToken = (key: SigningKey, tid: TenantId | null) =>
  tokenFor(key, "system:operator", tid, ["operator"]);

/** A token that was signed at `now`. */
export const tokenFor = (
  key: SigningKey,
  sub: Actor,
  tid: TenantId | null,
  roles: Role[],
  now = new Date(),
) => signAccessToken(key, { sub, tid, roles, sid: "test", region: "eu-west" }, now);

/** Starts a school of its own: a class with a teacher and a student, and a client for each of its people. */
export async function openSchool(url: string, key: SigningKey, slug: string) {
  const { tenantId } = await clientOf(url, await operatorToken(key, null)).tenants.enroll.mutate(
    schoolProfile(slug),
  );
  const operator = clientOf(url, await operatorToken(key, tenantId));
  const enroll = async (username: string, ...roles: Role[]) => {
    const { userId, position } = await operator.people.enroll.mutate({ username, name: username, roles });
    return { userId, position, client: clientOf(url, await tokenFor(key, userId, tenantId, roles)) };
  };
  const [admin, teacher, otherTeacher, auditor, student, outsider] = await Promise.all([
    enroll("admin", "admin"),
    enroll("teacher", "teacher"),
    enroll("other.teacher", "teacher"),
    enroll("auditor", "auditor"),
    enroll("student", "student"),
    enroll("outsider", "student"),
  ]);
  const { classId } = await teacher.client.classes.open.mutate({
    code: "9A",
    title: "Physics",
    startsOn: "2026-09-01",
    lengthDays: 200,
  });
  const { position } = await teacher.client.classes.join.mutate({
    classId,
    userId: student.userId,
    as: "student",
  });
  return { tenantId, operator, admin, teacher, otherTeacher, auditor, student, outsider, classId, position };
}
export type School = Awaited<ReturnType<typeof openSchool>>;

/** An assignment that is open until tomorrow. */
export const newAssignment = (classId: ClassId, code: string) => ({
  classId,
  code,
  title: "Bells",
  kind: "TMA",
  weight: 50,
  latePolicy: { kind: "accept" as const },
  dueAt: fromNow(86_400_000),
});

/** A moment so many milliseconds from now. */
export const fromNow = (milliseconds: number) => new Date(Date.now() + milliseconds).toISOString();

/**
 * Does what has to be done before a due date that a test waits for; gives what it gives, and that date. Where a slow machine
 * comes too late, it is done again with twice the time.
 *
 * @param work is given the date and a code for the assignment, another one each time
 */
export async function beforeDue<Result>(
  work: (dueAt: string, code: string) => Promise<Result>,
): Promise<{ dueAt: string; result: Result }> {
  for (let milliseconds = 500; ; milliseconds *= 2) {
    const dueAt = fromNow(milliseconds);
    try {
      return { dueAt, result: await work(dueAt, `due-after-${milliseconds}`) };
    } catch (error) {
      const code = dataOf(error)?.errorCode;
      if (code !== "due_in_past" && code !== "assignment_closed") throw error;
    }
  }
}

/** Waits until a moment is past. */
export async function past(moment: string): Promise<void> {
  while (Date.now() <= Date.parse(moment)) await delay(1);
}

/**
 * Asks until the answer is there and not stale: on a loaded machine a view may come later than a query waits for it. After a
 * minute it gives, or throws, what there is.
 */
export async function fresh<Answer extends { stale: boolean }>(ask: () => Promise<Answer>): Promise<Answer> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const isLast = Date.now() > deadline;
    try {
      const answer = await ask();
      if (isLast || !answer.stale) return answer;
    } catch (error) {
      if (isLast) throw error;
    }
    await delay(20);
  }
}

const dataOf = (error: unknown) =>
  error instanceof TRPCClientError ? (error as TRPCClientError<AppRouter>).data : undefined;

/** A small text file as it is handed in. */
export const textFile = (text: string, name = "essay.txt") => ({
  name,
  mediaType: "text/plain",
  base64: btoa(text),
});

/** Calls again as long as it is refused as `busy`, each time when it is told to: a test machine may be slow. */
export async function comingBack<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const data = dataOf(error);
      if (data?.errorCode !== "busy") throw error;
      await delay(data.retryAfterMs);
    }
  }
}

/** Calls what is to be refused and gives the error as a client sees it. */
export async function refusal(call: Promise<unknown>) {
  try {
    await call;
  } catch (error) {
    if (error instanceof TRPCClientError)
      return { message: error.message, ...(error as TRPCClientError<AppRouter>).data };
    throw error;
  }
  throw new Error("the call was not refused");
}

/** Which session an access token belongs to. */
export const sessionOf = ({ accessToken }: { accessToken: string }): SessionId =>
  SessionId.parse(JSON.parse(Buffer.from(accessToken.split(".")[1] ?? "", "base64url").toString()).sid);

export const schoolProfile = (slug: string): TenantProfile => ({
  name: "Riverside High",
  slug,
  region: "eu-west",
  tier: "shared",
  timeZone: "Europe/London",
  locale: "en-GB",
  branding: { colour: "#1a2b3c", logoUrl: null },
});
