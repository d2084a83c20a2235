// The way in from a fresh machine: needs only Node 20 and npm, and runs everything else on what it installs.
import { join } from "node:path";
import { BootstrapError } from "./bootstrap-error.mjs";
import { installPackages } from "./install-packages.mjs";
import { pathWithNatsServer } from "./nats-server.mjs";
import { run } from "./run.mjs";
import { runLevel, runTests } from "./run-tests.mjs";

const root = join(import.meta.dirname, "..");
const node = join(root, "node_modules/.bin/node");
const main = join(root, "apps/cli/src/main.ts");

const testSetting = () => ({ root, node, PATH: pathWithNatsServer() });

/** What each task needs besides the packages, and what it then does; gives the exit code. */
const tasks = {
  start: (args) => run(node, [main, "up", ...args], { cwd: process.cwd(), PATH: pathWithNatsServer() }),
  dev: (args) =>
    run(node, [main, "up", "--data", ".carillon-dev", "--watch", ...args], {
      cwd: process.cwd(),
      PATH: pathWithNatsServer(),
    }),
  test: (args) => runTests(testSetting(), args),
  ...Object.fromEntries(
    ["unit", "int", "e2e"].flatMap((level) => [
      [`test:${level}`, (args) => runLevel(level, testSetting(), args)],
      [`test:${level}:watch`, (args) => runLevel(level, testSetting(), args, { watch: true })],
    ]),
  ),
  carillon: (args) =>
    run(node, [main, ...args], {
      cwd: process.cwd(),
      PATH: args[0] === "up" && !args.includes("--help") ? pathWithNatsServer() : process.env.PATH,
    }),
  bench: (args) =>
    run(node, [join(root, "bench/src/main.ts"), ...args], { cwd: process.cwd(), PATH: process.env.PATH }),
};

const [name, ...args] = process.argv.slice(2);
const task = tasks[name];
if (task === undefined) {
  process.stderr.write(`usage: node scripts/bootstrap.mjs ${Object.keys(tasks).join("|")} [arguments]\n`);
  process.exit(2);
}
try {
  installPackages(root);
  process.exitCode = await task(args);
} catch (error) {
  if (!(error instanceof BootstrapError)) throw error;
  process.stderr.write(`carillon: ${error.message}\n`);
  process.exitCode = 1;
}
