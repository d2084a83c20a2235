import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { type ProcessSpec, type SupervisedProcess, supervise } from "./supervisor/supervised-process.ts";

/** An empty folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "carillon-up-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A Node script as a process to supervise; it is ready when it prints `ready`. */
export function script(source: string): ProcessSpec {
  const file = join(temporaryFolder(), "script.mjs");
  writeFileSync(file, source);
  return {
    name: "script",
    command: process.execPath,
    args: [file],
    env: { PATH: process.env.PATH ?? "" },
    readiness: { kind: "line", pattern: /^ready/ },
  };
}

/** Supervises until the end of the test; gives the process, the lines that it and we said, and every pid it had. */
export function superviseForTest(spec: ProcessSpec): {
  readonly supervised: SupervisedProcess;
  readonly lines: readonly string[];
  readonly pids: readonly number[];
} {
  const lines: string[] = [];
  const pids: number[] = [];
  const supervised = supervise(
    spec,
    (_, line) => lines.push(line),
    (pid) => pids.push(pid),
  );
  onTestFinished(() => supervised.stop());
  return { supervised, lines, pids };
}

/** Longer than a loaded machine needs for whatever a test waits for: it ends what hangs. */
const patienceMs = 60_000;

/** Waits until a condition holds. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not so within ${patienceMs} ms: ${condition}`);
    await delay(10);
  }
}

/** A bound on what a test waits for. */
export const soon = (): AbortSignal => AbortSignal.timeout(patienceMs);
