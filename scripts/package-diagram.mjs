import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const page = "docs/packages.md";
const fence = /(?<=```mermaid\n)[\s\S]*?(?=```)/;

/**
 * Draws the packages and their imports, as dependency-cruiser finds them, into `docs/packages.md`.
 *
 * @param {{ root: string, node: string, check: boolean }} setting `check` only compares
 * @returns {number} the exit code: 1 if the page's diagram was not what the imports are
 */
export function drawPackages({ root, node, check }) {
  const { stdout, status } = spawnSync(
    node,
    [
      join(root, "node_modules/dependency-cruiser/bin/dependency-cruiser.mjs"),
      ...["--config", ".dependency-cruiser.mjs", "--output-type", "mermaid"],
      ...["--include-only", "^(packages|apps|bench)", "--exclude", "\\.test(-d)?\\.ts$|/testing(/|\\.ts$)|testkit"],
      ...["--collapse", "^(packages|apps)/[^/]+|^bench"],
      ...["packages", "apps", "bench"],
    ],
    { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
  );
  if (status !== 0) return status ?? 1;
  const before = readFileSync(join(root, page), "utf8");
  const after = before.replace(fence, () => stdout.trimEnd().concat("\n"));
  if (after === before) return 0;
  if (check) {
    process.stderr.write(`${page} does not show today's imports: run "npm run diagram".\n`);
    return 1;
  }
  writeFileSync(join(root, page), after);
  return 0;
}
