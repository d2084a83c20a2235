import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";

/** What a run of the command line ended with. */
export interface CommandRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `carillon <args>` as an operator does, to its end. */
export const carillon = (...args: string[]) =>
  new Promise<CommandRun>((done) => {
    const main = join(import.meta.dirname, "main.ts");
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
