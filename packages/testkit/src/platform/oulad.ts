import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";

/** The folder of the dataset of a real year, or undefined, and said loudly, if it is not there. */
export function ouladFolder(): string | undefined {
  const usual = join(import.meta.dirname, "../../../../../shared/data/oulad");
  const folder = resolve(process.env.OULAD_DIR ?? usual);
  if (existsSync(join(folder, "expected.json"))) return folder;
  process.stderr.write(
    `\n!! NOT TESTED: the OULAD dataset is not in ${folder}.\n` +
      "!! The tests on a real year are skipped. Set OULAD_DIR to its folder to run them.\n\n",
  );
  return undefined;
}
