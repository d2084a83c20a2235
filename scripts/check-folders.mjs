import { spawnSync } from "node:child_process";

const most = 15;
const isTest = /\.(test|test-d)\.ts$/;

/**
 * Fails where a folder holds more source files than a reader can take in: it is then several folders.
 *
 * @param {string} root the repository's folder
 * @returns {number} the exit code
 */
export function checkFolders(root) {
  const { stdout } = spawnSync("git", ["ls-files", "*.ts", "*.tsx", "*.mjs"], { cwd: root, encoding: "utf8" });
  const sources = stdout.split("\n").filter((file) => file !== "" && !isTest.test(file));
  const folders = Map.groupBy(sources, (file) => file.slice(0, Math.max(0, file.lastIndexOf("/"))));
  const crowded = [...folders].filter(([, files]) => files.length > most);
  for (const [folder, files] of crowded) {
    process.stderr.write(`${folder} holds ${files.length} source files; at most ${most} fit in a folder: divide it.\n`);
  }
  return crowded.length === 0 ? 0 : 1;
}
