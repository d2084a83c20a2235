// Fails where a page links to a file that is not there or names one, or where an example in a page or a docstring does
// not compile.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root, sourceFiles } from "./source-files.mjs";

const read = (file) => readFileSync(join(root, file), "utf8");

/** What a page names and is not there: the targets of its links, and paths from the root in `code`. */
function missingFiles(page) {
  const text = read(page);
  const linked = [...text.matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g)].map(([, target]) =>
    join(dirname(page), target),
  );
  const named = [...text.matchAll(/`((?:packages|apps|bench|docs|scripts)\/[\w./-]+)`/g)].map(
    ([, path]) => path,
  );
  return [...new Set([...linked, ...named])].filter((path) => !existsSync(join(root, path)));
}

const pages = sourceFiles("*.md").filter((page) => !page.startsWith(".changeset/"));
for (const page of pages) {
  for (const path of missingFiles(page)) {
    process.stderr.write(`${page} names ${path}, which is not there\n`);
    process.exitCode = 1;
  }
}

const withExamples = [...pages, ...sourceFiles("*.ts", "*.tsx")].filter((file) =>
  /^ *(\* )?```tsx?$/m.test(read(file)),
);
const { status } = spawnSync(
  join(root, "node_modules/deno/deno"),
  [
    "check",
    ...["--doc-only", "--quiet", "--node-modules-dir=manual", "--no-remote", "--no-lock"],
    ...withExamples,
  ],
  { cwd: root, stdio: "inherit" },
);
if (status !== 0) process.exitCode = 1;
