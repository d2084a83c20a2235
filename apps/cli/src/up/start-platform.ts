import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { lockFolder } from "@carillon/eventstore-node/folder-lock";
import {
  identify,
  type Log,
  type ProcessIdentity,
  type ProcessSpec,
  platformWorkers,
  projectorUrls,
  type SupervisedProcess,
  supervise,
  workerNames,
  workerProcess,
} from "@carillon/launcher";
import { migrateDatabases } from "@carillon/projections";
import { engineSettings } from "./engines/engine-settings.ts";
import { enginePorts, engines } from "./engines/engines.ts";
import { readPlatformFile, removePlatformFile, writePlatformFile } from "./folder/platform-file.ts";
import { choosePorts } from "./folder/ports.ts";
import { secretsOf } from "./folder/secrets.ts";
import { stopLeftovers } from "./supervisor/leftovers.ts";

export interface PlatformOptions {
  /** The folder that holds all of it: data, secrets, addresses. */
  readonly data: string;
  /** The first of consecutive ports, the gateway's; free ones, kept for the next start, if left out. */
  readonly portBase?: number | undefined;
  /** Takes each line that a process prints. */
  readonly log?: Log;
  /** Where addresses of engines and keys may be set. */
  readonly env?: NodeJS.ProcessEnv;
  /** Gives up starting. */
  readonly signal?: AbortSignal;
}

export interface RunningPlatform {
  /** The gateway's address. */
  readonly url: string;
  /** The processes that run at this moment, by name. */
  pids(): Readonly<Record<string, number>>;
  /** Waits until every process is ready at the same time. Rejects after a minute, naming those that are not. */
  waitReady(): Promise<void>;
  /** Kills one process as `kill -9` would; returns when its end has been seen. It is started again. */
  kill(name: string): Promise<void>;
  /** Reads the secrets again and restarts, one after another, the workers whose settings have changed. */
  reload(): Promise<void>;
  /** Stops every process, the last started first. Asked twice, it stops once. */
  stop(): Promise<void>;
}

const startPatienceMs = 120_000;
const readyPatienceMs = 60_000;

/**
 * Starts the whole platform in a folder and returns when every worker is ready: the engines, then the databases'
 * migrations, then all workers. What is left over from a killed predecessor is stopped first.
 *
 * Throws, with everything stopped again, if another platform has the folder, a setting is wrong (`SettingsError`),
 * or a process cannot be made ready; the message says which and why.
 *
 * @example
 * const platform = await startPlatform({ data: folder });
 * await platform.kill("relay");
 * await platform.waitReady();
 * await platform.stop();
 */
export async function startPlatform(options: PlatformOptions): Promise<RunningPlatform> {
  const { data, portBase, log = () => {}, env = process.env } = options;
  const external = engineSettings(env);
  const folder = resolve(data);
  mkdirSync(folder, { recursive: true });
  const lock = lockFolder(folder);
  if (lock === undefined) {
    const pid = readPlatformFile(folder)?.supervisor.pid;
    throw new Error(`a platform is already running in ${folder}${pid === undefined ? "" : ` (pid ${pid})`}`);
  }

  const processes: SupervisedProcess[] = [];
  const stopAll = async () => {
    const workersFirst = processes.toReversed();
    for (const process of workersFirst) await process.stop();
    removePlatformFile(folder);
    lock.release();
  };
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= stopAll();
    return stopped;
  };
  const failed = new AbortController();
  const signal = AbortSignal.any([
    failed.signal,
    AbortSignal.timeout(startPatienceMs),
    ...(options.signal ? [options.signal] : []),
  ]);

  try {
    await stopLeftovers(folder, log);
    let secrets = secretsOf(folder, env);
    const ports = await choosePorts(folder, [...workerNames, ...enginePorts], portBase);
    const url = `http://127.0.0.1:${ports.gateway}`;
    const { processes: engineSpecs, addresses } = await engines(folder, ports, secrets, external);

    const identities: Record<string, ProcessIdentity> = {};
    const self = identify(process.pid);
    if (self === undefined) throw new Error("cannot tell when this process was started");
    const record = () =>
      writePlatformFile(folder, {
        supervisor: self,
        processes: identities,
        url,
        eventstoreUrl: addresses.eventstoreUrl,
        natsUrl: addresses.natsUrl,
        projectorUrls: projectorUrls(addresses.databaseUrls, secrets),
        authSigningKeys: secrets.AUTH_SIGNING_KEYS,
      });
    record();
    const start = async (specs: readonly ProcessSpec[]) => {
      const started = specs.map((spec) =>
        supervise(spec, log, (pid) => {
          const identity = identify(pid);
          if (identity !== undefined) identities[spec.name] = identity;
          record();
        }),
      );
      processes.push(...started);
      await Promise.all(started.map((process) => process.whenReady(signal)));
    };

    await start(engineSpecs);
    const { projectorPassword, readerPassword } = secrets;
    await migrateDatabases(addresses.databaseUrls, { projectorPassword, readerPassword });
    let workerSpecs = platformWorkers(ports, addresses, secrets).map(workerProcess);
    await start(workerSpecs);

    const reload = async () => {
      const newSecrets = secretsOf(folder, env);
      const newSpecs = platformWorkers(ports, addresses, newSecrets).map(workerProcess);
      for (const spec of newSpecs) {
        if (workerSpecs.some((running) => isDeepStrictEqual(running, spec))) continue;
        const worker = processes.find(({ name }) => name === spec.name);
        await worker?.restart(spec);
        await worker?.whenReady(AbortSignal.timeout(readyPatienceMs));
        workerSpecs = workerSpecs.map((running) => (running.name === spec.name ? spec : running));
      }
      // The operator's own commands sign with what the workers know by now.
      secrets = newSecrets;
      record();
    };
    let reloading = Promise.resolve();

    return {
      url,
      pids: () =>
        Object.fromEntries(
          processes.flatMap((process) => {
            const pid = process.pid();
            return pid === undefined ? [] : [[process.name, pid]];
          }),
        ),
      waitReady: () => untilAllReady(processes),
      async kill(name) {
        const process = processes.find((candidate) => candidate.name === name);
        if (process === undefined) throw new Error(`there is no process ${name}`);
        await process.kill();
      },
      reload() {
        reloading = reloading.catch(() => {}).then(reload);
        return reloading;
      },
      stop,
    };
  } catch (error) {
    const late = signal.aborted && !options.signal?.aborted ? await notReady(processes) : [];
    // Nobody waits any longer for the others to be ready.
    failed.abort();
    await stop();
    throw late.length === 0
      ? error
      : new Error(`not ready within two minutes: ${late.join(", ")}`, { cause: error });
  }
}

async function notReady(processes: readonly SupervisedProcess[]): Promise<string[]> {
  const ready = await Promise.all(processes.map((process) => process.isReady().catch(() => false)));
  return processes.filter((_, index) => !ready[index]).map((process) => process.name);
}

async function untilAllReady(processes: readonly SupervisedProcess[]) {
  const deadline = performance.now() + readyPatienceMs;
  for (;;) {
    const ready = await Promise.all(processes.map((process) => process.isReady()));
    if (ready.every(Boolean)) return;
    if (performance.now() > deadline) {
      const late = processes.filter((_, index) => !ready[index]).map((process) => process.name);
      throw new Error(`not ready within a minute: ${late.join(", ")}`);
    }
    await delay(50);
  }
}
