import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { type ProcessSpec, type SupervisedProcess, supervise } from "@carillon/launcher";
import { onTestFinished } from "vitest";
import { temporaryFolder } from "./temporary-folder.ts";

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
