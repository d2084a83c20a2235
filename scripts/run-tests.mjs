import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./run.mjs";

/**
 * Runs the whole suite: every step, also after one has failed, so that one run shows all that is broken. The last
 * line of a passing run is `Tests: N passed, 0 failed`. With arguments it runs only vitest, with these.
 *
 * @param {{ root: string, node: string, PATH: string }} setting
 * @param {readonly string[]} args
 * @returns {Promise<number>} the exit code: 0 if every step passed
 */
export async function runTests({ root, node, PATH }, args) {
  const tool = (file, ...rest) => run(node, [join(root, file), ...rest], { cwd: root, PATH });
  const vitest = (...rest) => tool("node_modules/vitest/vitest.mjs", "run", ...rest);
  if (args.length > 0) return vitest(...args);

  const scratch = mkdtempSync(join(tmpdir(), "carillon-tests-"));
  const results = join(scratch, "results.json");
  const steps = [
    ["type check", () => tool("node_modules/typescript/bin/tsc", "--noEmit")],
    ["lint", () => tool("node_modules/@biomejs/biome/bin/biome", "check", ".")],
    [
      "room arrows",
      () =>
        tool(
          "node_modules/dependency-cruiser/bin/dependency-cruiser.mjs",
          "--config",
          ".dependency-cruiser.mjs",
          "packages",
          "apps",
          "bench",
        ),
    ],
    ["tests", () => vitest("--reporter=default", "--reporter=json", `--outputFile.json=${results}`)],
  ];
  try {
    const failed = [];
    for (const [name, step] of steps) {
      process.stdout.write(`\n== ${name}\n`);
      const start = performance.now();
      const code = await step();
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      process.stdout.write(`== ${name}: ${code === 0 ? "passed" : "FAILED"} (${seconds} s)\n`);
      if (code >= 128) return code; // ended by a signal: somebody wants us to stop
      if (code !== 0) failed.push(name);
    }
    process.stdout.write(
      `\n${failed.length === 0 ? "" : `Failed: ${failed.join(", ")}\n`}${counts(results)}\n`,
    );
    return failed.length === 0 ? 0 : 1;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** @param {string} file vitest's JSON report; it writes none when it could not start */
function counts(file) {
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(file, "utf8"));
    return `Tests: ${numPassedTests} passed, ${numFailedTests} failed`;
  } catch {
    return "Tests: 0 passed, 0 failed (vitest wrote no report)";
  }
}
