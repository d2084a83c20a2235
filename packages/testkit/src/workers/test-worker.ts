import { manifests as api } from "@carillon/api/manifests";
import { workerProcess } from "@carillon/launcher";
import type { Runtime, WorkerManifest } from "@carillon/platform";
import { manifests as processing } from "@carillon/processing/manifests";
import { manifests as projections } from "@carillon/projections/manifests";
import { freePort } from "../servers/free-port.ts";
import { startTestProcess, type TestProcess } from "../servers/test-process.ts";

/** Where the worker modules run: the same tests hold on both. */
export const runtimes = ["deno", "node"] as const satisfies readonly Runtime[];

/** Every worker's manifest. */
export const manifests = { ...api, ...projections, ...processing };
export type ManifestName = keyof typeof manifests;

export type Settings = Readonly<Record<string, string>>;

/** A worker in a process of its own. */
export interface TestWorker extends TestProcess {
  readonly url: string;
}

/** Starts a worker on a runtime with what its manifest allows it. It may end at once: see `exited`. */
export async function launchWorker(
  runtime: Runtime,
  worker: ManifestName | WorkerManifest,
  settings: Settings,
): Promise<TestWorker> {
  const port = await freePort();
  const name = typeof worker === "string" ? worker : worker.module;
  const manifest = typeof worker === "string" ? manifests[worker] : worker;
  const started = await startTestProcess(workerProcess({ name, manifest, port, settings, runtime }));
  return Object.assign(started, { url: `http://127.0.0.1:${port}` });
}

/** Starts a worker and resolves when it is ready. */
export async function startWorker(
  runtime: Runtime,
  worker: ManifestName | WorkerManifest,
  settings: Settings,
): Promise<TestWorker> {
  const started = await launchWorker(runtime, worker, settings);
  await started.whenReady();
  return started;
}
