import { join } from "node:path";
import process from "node:process";
import type { Runtime, WorkerManifest } from "@carillon/platform";
import { inheritedEnvironment } from "../supervisor/inherited-environment.ts";
import type { ProcessSpec } from "../supervisor/process-spec.ts";

/** One worker to start: what its manifest leaves open. */
export interface WorkerStart {
  /** What its processes and their log lines are called. */
  readonly name: string;
  readonly manifest: WorkerManifest;
  readonly port: number;
  /** Values of settings. The worker gets those that its manifest names. */
  readonly settings: Readonly<Record<string, string | undefined>>;
  /** What runs it, if not what its manifest says. */
  readonly runtime?: Runtime;
}

const libraries = join(import.meta.dirname, "../../../../node_modules");
// The package's command is a shim that would not pass signals on.
const deno = join(libraries, "deno/deno");
const serveNode = join(import.meta.dirname, "serve-node.ts");

/** A worker as a process to supervise: its own settings as the environment, and ready when `/readyz` says so. */
export function workerProcess(worker: WorkerStart): ProcessSpec {
  const { name, manifest, port, runtime = manifest.runtime } = worker;
  const own = settingsOf(worker);
  return {
    name,
    command: runtime === "deno" ? deno : process.execPath,
    args: runtime === "deno" ? denoArguments(manifest, port, own) : nodeArguments(manifest, port),
    env: { ...runtimeEnvironment(), ...own },
    readiness: { kind: "http", url: `http://127.0.0.1:${port}/readyz` },
    ...(manifest.background && { background: true }),
  };
}

/** The settings that the manifest names, as far as they are set. */
function settingsOf({ manifest, settings }: WorkerStart): Record<string, string> {
  const set = manifest.settings.flatMap((name) => {
    const value = settings[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(set);
}

const nodeArguments = ({ module }: WorkerManifest, port: number): string[] => [
  serveNode,
  ...["--host", "127.0.0.1", "--port", String(port)],
  module,
];

/**
 * The arguments with which Deno serves a worker, narrowed to what it needs. What libraries merely look for (other
 * environment names, files of the system) is hidden from them instead of refused, which they take for a crash.
 */
export function denoArguments(
  { module, settings: names, native = false, threads }: WorkerManifest,
  port: number,
  settings: Readonly<Record<string, string>>,
): string[] {
  const own = `127.0.0.1:${port}`;
  const servers = Object.values(settings).flatMap(serversOf);
  const net = servers.includes(anyServer)
    ? "--allow-net"
    : `--allow-net=${[own, ...new Set(servers)].join(",")}`;
  // Addons choose their binary by what /usr/bin/ldd says of the C library.
  const reads = [...(native ? [libraries, "/usr/bin/ldd"] : []), ...(threads?.modules ?? [])];
  return [
    "serve",
    ...["--node-modules-dir=manual", "--no-remote", "--no-lock", "--no-prompt"],
    net,
    ...[`--allow-env=${names.join(",")}`, "--ignore-env"],
    ...(reads.length > 0 ? [`--allow-read=${reads.join(",")}`] : []),
    ...(native ? [`--allow-ffi=${libraries}`] : []),
    "--ignore-read",
    threads ? "--allow-sys=hostname,setPriority" : "--allow-sys=hostname",
    // A request's signal aborts when its client leaves, not when it has been answered.
    "--unstable-no-legacy-abort",
    ...["--host", "127.0.0.1", "--port", String(port)],
    module,
  ];
}

/** What a runtime itself needs to start, as far as we have it. */
const runtimeEnvironment = (): Record<string, string> => ({
  ...inheritedEnvironment(
    "PATH",
    "HOME",
    "DENO_DIR",
    "XDG_CACHE_HOME",
    "SSL_CERT_FILE",
    "NODE_COMPILE_CACHE",
  ),
  NO_COLOR: "1",
  DENO_NO_UPDATE_CHECK: "1",
});

const anyServer = "*";

/** The `host:port` pairs of an address; none for a text that is no address. */
function serversOf(address: string): string[] {
  const { scheme, hosts } =
    /^(?<scheme>[a-z][a-z0-9+]*):\/\/(?:[^/?#]*@)?(?<hosts>[^/?#]+)/.exec(address)?.groups ?? {};
  if (scheme === undefined || hosts === undefined) return [];
  // A cluster that is found by its name has nodes at addresses that only it knows.
  if (scheme.endsWith("+discover")) return [anyServer];
  const port = defaultPorts[scheme];
  return hosts
    .split(",")
    .map((host) => (/:\d+$/.test(host) || port === undefined ? host : `${host}:${port}`));
}

const defaultPorts: Readonly<Record<string, number>> = {
  http: 80,
  https: 443,
  nats: 4222,
  s3: 443,
  "s3+http": 80,
  tls: 4222,
  esdb: 2113,
  kdb: 2113,
  kurrentdb: 2113,
  postgres: 5432,
  postgresql: 5432,
};
