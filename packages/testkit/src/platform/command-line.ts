import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { inheritedEnvironment } from "@carillon/launcher";

/** The command line's own module. We know it as an operator does, by its path. */
export const main = join(import.meta.dirname, "../../../../apps/cli/src/main.ts");

/** What a run of the command line ended with. */
export interface CommandRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a program on Node needs of our environment, and nothing that would tell it of a platform. */
export const bareEnvironment = () => inheritedEnvironment("PATH", "NODE_COMPILE_CACHE");

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

/** A platform that `carillon up` runs in a folder. */
export interface Up {
  readonly child: ChildProcess;
  /** The gateway's address, once every worker is ready. Rejects with what it said last if it ends before that. */
  readonly ready: Promise<string>;
  readonly exit: Promise<number | null>;
  /** Asks it to stop, and gives its exit code. */
  stop(): Promise<number | null>;
}

/** Starts `carillon up` as an operator does. */
export function startUp(data: string): Up {
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
  return {
    child,
    ready,
    exit,
    stop() {
      child.kill("SIGTERM");
      return exit;
    },
  };
}
