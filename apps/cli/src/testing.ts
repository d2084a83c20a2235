import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";

/** The command line's own module. */
export const main = join(import.meta.dirname, "main.ts");

/** What a run of the command line ended with. */
export interface CommandRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `carillon <args>` as an operator does, to its end. */
export const carillon = (...args: string[]) =>
  new Promise<CommandRun>((done) => {
    execFile(process.execPath, [main, ...args], { maxBuffer: 2 ** 28 }, (error, stdout, stderr) => {
      done({ code: typeof error?.code === "number" ? error.code : error ? -1 : 0, stdout, stderr });
    });
  });

/** The document that `carillon <args> --json` prints. Throws with what it says on stderr if it fails. */
export async function carillonJson<Document>(...args: string[]): Promise<Document> {
  const { code, stdout, stderr } = await carillon(...args, "--json");
  if (code !== 0) throw new Error(`carillon ${args.join(" ")} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as Document;
}

/** `carillon up` as a user starts it, until the end of the test. */
export function up(data: string) {
  const child = spawn(process.execPath, [main, "up", "--data", data, "--no-demo"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => said.push(line));
  const exit = once(child, "exit").then(([code]) => code as number | null);
  const ready = new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const url = /^ready (http:\/\/127\.0\.0\.1:\d+)$/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    });
    exit.then((code) =>
      reject(new Error(`carillon up ended with exit code ${code}: ${said.slice(-5).join("\n")}`)),
    );
  });
  ready.catch(() => {});
  onTestFinished(async () => {
    child.kill("SIGTERM");
    await exit;
  });
  return { child, ready, exit };
}

/** The folder of the dataset, or undefined, and said loudly, if it is not there. */
export function ouladFolder(): string | undefined {
  const folder = resolve(process.env.OULAD_DIR ?? join(import.meta.dirname, "../../../../shared/data/oulad"));
  if (existsSync(join(folder, "expected.json"))) return folder;
  process.stderr.write(
    `\n!! NOT TESTED: the OULAD dataset is not in ${folder}.\n` +
      "!! The tests of the import on a real year are skipped. Set OULAD_DIR to its folder to run them.\n\n",
  );
  return undefined;
}
