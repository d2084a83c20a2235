import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { run } from "./run.mjs";

/**
 * Fails where a page links to a file that is not there or names one, or where an example in a page or a docstring does
 * not compile.
 *
 * @param {{ root: string, PATH: string }} setting
 * @returns {Promise<number>} the exit code
 */
export async function checkDocs({ root, PATH }) {
  const list = (...patterns) =>
    execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", ...patterns], { cwd: root, encoding: "utf8" })
      .split("\n")
      .filter((file) => file !== "" && existsSync(join(root, file)));
  const pages = list("*.md").filter((page) => !page.startsWith(".changeset/") && page !== "CHANGELOG.md");
  const missing = pages.flatMap((page) => missingFiles(root, page));
  for (const line of missing) process.stderr.write(`${line}\n`);

  const withExamples = [...pages, ...list("*.ts", "*.tsx")].filter((file) =>
    /^( \* )?```tsx?$/m.test(readFileSync(join(root, file), "utf8")),
  );
  const deno = join(root, "node_modules/deno/deno");
  const options = ["--doc-only", "--quiet", "--node-modules-dir=manual", "--no-remote", "--no-lock"];
  const compiled = await run(deno, ["check", ...options, ...withExamples], { cwd: root, PATH });
  return missing.length > 0 ? 1 : compiled;
}

/** What a page names and is not there: the targets of its links, and paths from the root in `code`. */
function missingFiles(root, page) {
  const text = readFileSync(join(root, page), "utf8");
  const linked = [...text.matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g)].map(([, target]) => join(dirname(page), target));
  const named = [...text.matchAll(/`((?:packages|apps|bench|docs|scripts)\/[\w./-]+)`/g)].map(([, path]) => path);
  return [...new Set([...linked, ...named])]
    .filter((path) => !existsSync(join(root, path)))
    .map((path) => `${page} names ${path}, which is not there`);
}
