// Draws the packages and their imports, as dependency-cruiser finds them, into docs/packages.md. With --check it only
// fails where the page shows others.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./source-files.mjs";

const page = join(root, "docs/packages.md");
const picture = /(?<=```mermaid\n)[\s\S]*?(?=```)/;

const { stdout, status } = spawnSync(
  process.execPath,
  [
    join(root, "node_modules/dependency-cruiser/bin/dependency-cruiser.mjs"),
    ...["--config", ".dependency-cruiser.mjs", "--output-type", "mermaid"],
    ...["--include-only", "^(packages|apps|bench)"],
    ...["--exclude", "\\.test(-d)?\\.ts$|/testing(/|\\.ts$)|testkit"],
    ...["--collapse", "^(packages|apps)/[^/]+|^bench"],
    ...["packages", "apps", "bench"],
  ],
  { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
);
if (status !== 0) process.exit(status ?? 1);

const before = readFileSync(page, "utf8");
const after = before.replace(picture, () => `${stdout.trimEnd()}\n`);
if (after !== before && process.argv.includes("--check")) {
  process.stderr.write('docs/packages.md does not show the imports of today: run "npm run diagram".\n');
  process.exit(1);
}
writeFileSync(page, after);
