import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";

import { type FolderLock, lockFolder } from "@carillon/eventstore-node/folder-lock";
import { type Log, platformWorkers, workerNames, workerProcess } from "@carillon/launcher";

import { migrateDatabases } from "@carillon/projections";
import { type EngineSettings, engineSettings } from "./engines/engine-settings.ts";
import { enginePorts, engines } from "./engines/engines.ts";

import { readPlatformFile, removePlatformFile } from "./folder/platform-file.ts";
import { type PlatformRecord, recordPlatform } from "./folder/platform-record.ts";

import { choosePorts } from "./folder/ports.ts";
import { type Secrets, secretsOf } from "./folder/secrets.ts";
import { runningWorkers } from "./running-workers.ts";
import { stopLeftovers } from "./supervisor/leftovers.ts";
import { type ProcessGroup, processGroup } from "./supervisor/process-group.ts";
import { type WatchWorkersOptions, watchWorkers } from "./watch/watch-workers.ts";

export interface PlatformOptions {
  /** The folder that holds all of it: data, secrets, addresses. */
  readonly data: string;
  /** The first of consecutive ports, the gateway's; free ones, kept for the next start, if left out. */
  readonly portBase?: number | undefined;
  /**
   * Restarts each worker whenever a source changes that it runs with. A worker that cannot be started then waits for
   * the next change, and the platform starts without it.
   */
  readonly watch?: boolean | undefined;
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
  const { data, log = () => {}, env = process.env } = options;
  const external = engineSettings(env);
  const folder = resolve(data);
  mkdirSync(folder, { recursive: true });
  const lock = lockOrThrow(folder);
  let record: PlatformRecord | undefined;
  const group = processGroup(log, (name, pid) => record?.started(name, pid));

  const stopping = new AbortController();
  const stopAll = async () => {
    stopping.abort();
    await group.stop();
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
    const plan = await planPlatform(folder, options.portBase, env, external);
    record = recordPlatform(folder, plan.url, plan.addresses, plan.secrets);
    const watch = options.watch ? { log, signal: stopping.signal } : undefined;
    const reload = await startProcesses(plan, { group, record, signal, watch });
    return {
      url: plan.url,
      pids: group.pids,
      waitReady: group.waitReady,
      kill: (name) => group.find(name).kill(),
      reload,
      stop,
    };
  } catch (error) {
    const late = signal.aborted && !options.signal?.aborted ? await group.notReady() : [];
    // Nobody waits any longer for the others to be ready.
    failed.abort();
    await stop();
    throw late.length === 0
      ? error
      : new Error(`not ready within two minutes: ${late.join(", ")}`, { cause: error });
  }
}

function lockOrThrow(folder: string): FolderLock {
  const lock = lockFolder(folder);
  if (lock !== undefined) return lock;
  const pid = readPlatformFile(folder)?.supervisor.pid;
  throw new Error(`a platform is already running in ${folder}${pid === undefined ? "" : ` (pid ${pid})`}`);
}

type Plan = Awaited<ReturnType<typeof planPlatform>>;

/** Everything that has to be known before the first process is started. */
async function planPlatform(
  folder: string,
  portBase: number | undefined,
  env: NodeJS.ProcessEnv,
  external: EngineSettings,
) {
  const readSecrets = () => secretsOf(folder, env);
  const secrets = readSecrets();
  const ports = await choosePorts(folder, [...workerNames, ...enginePorts], portBase);
  const { processes: engineSpecs, addresses } = await engines(folder, ports, secrets, external);
  const workers = platformWorkers(ports, addresses, secrets);
  const modules = new Map(workers.map(({ name, manifest }) => [name as string, manifest.module]));
  const workerSpecs = (newest: Secrets) => platformWorkers(ports, addresses, newest).map(workerProcess);
  const url = `http://127.0.0.1:${ports.gateway}`;
  return { url, addresses, engineSpecs, workerSpecs, modules, secrets, readSecrets };
}

interface StartSetting {
  readonly group: ProcessGroup;
  readonly record: PlatformRecord;
  /** Gives up starting. */
  readonly signal: AbortSignal;
  /** Where the workers' sources are watched: until when, and what takes a line about each restart. */
  readonly watch: Pick<WatchWorkersOptions, "log" | "signal"> | undefined;
}

/** Engines, migrations, workers. Returns how the workers take up changed secrets. */
async function startProcesses(
  { addresses, engineSpecs, workerSpecs, modules, secrets, readSecrets }: Plan,
  { group, record, signal, watch }: StartSetting,
): Promise<RunningPlatform["reload"]> {
  await group.start(engineSpecs, signal);
  const { projectorPassword, readerPassword } = secrets;
  await migrateDatabases(addresses.databaseUrls, { projectorPassword, readerPassword });
  const workers = runningWorkers(group, workerSpecs(secrets));
  // From before the start: what changes meanwhile may have been read already.
  if (watch) await watchWorkers({ ...watch, modules, restart: workers.restart });
  await workers.start(signal, watch !== undefined);
  return async () => {
    const newest = readSecrets();
    await workers.replace(workerSpecs(newest));
    // The operator's own commands sign with what the workers know by now.
    record.renewed(newest);
  };
}
