import { join } from "node:path";
import process from "node:process";
import type { ProcessSpec } from "../supervisor/supervised-process.ts";

/** A worker module in Deno's style, and all that it may touch. */
export interface Worker {
  readonly name: string;
  /** The module's path. */
  readonly module: string;
  readonly port: number;
  /** Its settings. The addresses among them are the servers that it may reach. */
  readonly settings: Readonly<Record<string, string>>;
  /** Whether it loads a native addon, which no sandbox holds. */
  readonly native?: boolean;
  /** Whether its work can wait while somebody waits for another worker's. */
  readonly background?: boolean;
  /** The modules of the threads that it starts and puts behind everything else: the files that they consist of. */
  readonly threads?: readonly string[];
}

const libraries = join(import.meta.dirname, "../../../../../node_modules");
// The package's command is a shim that would not pass signals on.
const deno = join(libraries, "deno/deno");

/** A worker as a process to supervise: its own settings as the environment, and ready when `/readyz` says so. */
export function workerProcess(worker: Worker): ProcessSpec {
  return {
    name: worker.name,
    command: deno,
    args: denoServeArgs(worker),
    env: { ...denoEnvironment(), ...worker.settings },
    readiness: { kind: "http", url: `http://127.0.0.1:${worker.port}/readyz` },
    ...(worker.background && { background: true }),
  };
}

/**
 * The arguments with which Deno serves a worker, narrowed to what it needs. What libraries merely look for (other
 * environment names, files of the system) is hidden from them instead of refused, which they take for a crash.
 */
export function denoServeArgs({ module, port, settings, native = false, threads = [] }: Worker): string[] {
  const own = `127.0.0.1:${port}`;
  const servers = Object.values(settings).flatMap(serversOf);
  const net = servers.includes(anyServer)
    ? "--allow-net"
    : `--allow-net=${[own, ...new Set(servers)].join(",")}`;
  // Addons choose their binary by what /usr/bin/ldd says of the C library.
  const reads = [...(native ? [libraries, "/usr/bin/ldd"] : []), ...threads];
  return [
    "serve",
    ...["--node-modules-dir=manual", "--no-remote", "--no-lock", "--no-prompt"],
    net,
    ...[`--allow-env=${Object.keys(settings).join(",")}`, "--ignore-env"],
    ...(reads.length > 0 ? [`--allow-read=${reads.join(",")}`] : []),
    ...(native ? [`--allow-ffi=${libraries}`] : []),
    "--ignore-read",
    threads.length > 0 ? "--allow-sys=hostname,setPriority" : "--allow-sys=hostname",
    // A request's signal aborts when its client leaves, not when it has been answered.
    "--unstable-no-legacy-abort",
    ...["--host", "127.0.0.1", "--port", String(port)],
    module,
  ];
}

/** What Deno itself needs to start, as far as we have it. */
function denoEnvironment(): Record<string, string> {
  const names = ["PATH", "HOME", "DENO_DIR", "XDG_CACHE_HOME", "SSL_CERT_FILE"];
  const known = names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []));
  return { ...Object.fromEntries(known), NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };
}

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
