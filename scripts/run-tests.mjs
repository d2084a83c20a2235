import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, runQuietly } from "./run.mjs";

/**
 * What runs before the tests' own levels: quick, and none looks at what another does, so all run beside the first level.
 * Each is a file of a tool and its arguments.
 */
const checks = {
  "type check": ["node_modules/typescript/bin/tsc", "--noEmit"],
  lint: ["node_modules/@biomejs/biome/bin/biome", "check", "."],
  arrows: [
    "node_modules/dependency-cruiser/bin/dependency-cruiser.mjs",
    ...["--config", ".dependency-cruiser.mjs", "packages", "apps", "bench"],
  ],
  folders: ["scripts/checks/folders.mjs"],
  "unused code": ["node_modules/knip/bin/knip.js"],
  docs: ["scripts/checks/docs.mjs"],
  diagram: ["scripts/checks/package-diagram.mjs", "--check"],
};

/** The levels of tests, each with the names of its projects in vitest.config.ts. */
const levels = { unit: ["unit"], int: ["int"], e2e: ["e2e", "e2e-bench"] };

/**
 * Runs the whole suite: every step, also after one has failed, so that one run shows all that is broken. Says at the end
 * how long each step took; the last line of a passing run is `Tests: N passed, 0 failed`. With arguments it runs only
 * vitest, with these.
 *
 * @param {{ root: string, node: string, PATH: string }} setting
 * @param {readonly string[]} args
 * @returns {Promise<number>} the exit code: 0 if every step passed
 */
export async function runTests(setting, args) {
  if (args.length > 0) return runVitest(setting, ["run", ...args]);
  const { root, node, PATH } = setting;
  const scratch = mkdtempSync(join(tmpdir(), "carillon-tests-"));
  const steps = stopwatch();
  try {
    const checked = Object.entries(checks).map(async ([name, [file, ...rest]]) => {
      const { code, output } = await steps.time(name, () =>
        runQuietly(node, [join(root, file), ...rest], { cwd: root, PATH }),
      );
      process.stdout.write(`\n== ${name}: ${code === 0 ? "passed" : "FAILED"}\n${output}`);
    });
    const reports = [];
    for (const name of Object.keys(levels)) {
      const report = join(scratch, `${name}.json`);
      reports.push(report);
      process.stdout.write(`\n== ${name} tests\n`);
      const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
      const { code } = await steps.time(name, async () => ({
        code: await runVitest(setting, ["run", ...projects(name), ...reporters]),
      }));
      if (code >= 128) return code; // ended by a signal: we are to stop
      await Promise.all(checked);
    }
    process.stdout.write(`\n${steps.table()}\n${counts(reports)}\n`);
    return steps.allPassed() ? 0 : 1;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/**
 * Runs one level of the tests, once or (`watch`) again after each change.
 *
 * @param {keyof typeof levels} name
 * @param {{ root: string, node: string, PATH: string }} setting
 * @param {readonly string[]} args of vitest
 */
export const runLevel = (name, setting, args, { watch = false } = {}) =>
  runVitest(setting, [watch ? "watch" : "run", ...projects(name), ...args]);

const runVitest = ({ root, node, PATH }, args) =>
  run(node, [join(root, "node_modules/vitest/vitest.mjs"), ...args], { cwd: root, PATH });

const projects = (name) => levels[name].flatMap((project) => ["--project", project]);

/** Remembers of each step how long it took and whether it passed. */
function stopwatch() {
  const steps = new Map();
  return {
    async time(name, step) {
      const start = performance.now();
      steps.set(name, { seconds: 0, code: -1 });
      const result = await step();
      steps.set(name, { seconds: (performance.now() - start) / 1000, code: result.code });
      return result;
    },
    allPassed: () => [...steps.values()].every(({ code }) => code === 0),
    table: () =>
      [...steps]
        .map(
          ([name, { seconds, code }]) =>
            `${name.padEnd(12)}${seconds.toFixed(1).padStart(8)} s${code === 0 ? "" : "  FAILED"}`,
        )
        .join("\n"),
  };
}

/** @param {readonly string[]} files vitest's JSON reports; it writes none when it could not start */
function counts(files) {
  let [passed, failed, missing] = [0, 0, 0];
  for (const file of files) {
    try {
      const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(file, "utf8"));
      passed += numPassedTests;
      failed += numFailedTests;
    } catch {
      missing += 1;
    }
  }
  const note =
    missing === 0 ? "" : ` (of ${missing} ${missing === 1 ? "level" : "levels"} there is no report)`;
  return `Tests: ${passed} passed, ${failed} failed${note}`;
}
