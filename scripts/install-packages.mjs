import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BootstrapError } from "./bootstrap-error.mjs";

// pnpm would look itself up to record its own version in the lockfile; npx has just fetched exactly that version.
const install = ["install", "--frozen-lockfile", "--pm-on-fail=ignore"];

/**
 * Installs the workspace's packages with the pnpm that package.json names, unless exactly these are installed
 * already. Says on stderr what it does: stdout belongs to the command that follows.
 *
 * @param {string} root the repository's folder
 * @throws {BootstrapError} if pnpm fails
 */
export function installPackages(root) {
  const stamp = join(root, "node_modules/.carillon-installed");
  const wanted = fingerprint(root);
  const installed = existsSync(stamp) && readFileSync(stamp, "utf8") === wanted;
  if (installed && existsSync(join(root, "node_modules/.bin/node"))) return;

  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  process.stderr.write(
    `carillon: installing packages with ${packageManager} (a minute or two the first time)\n`,
  );
  const { status, error } = spawnSync("npx", ["-y", packageManager, ...install], {
    cwd: root,
    stdio: ["ignore", 2, 2],
    // Without it pnpm asks before it replaces a node_modules folder that another version made.
    env: { ...process.env, CI: "true" },
  });
  if (error !== undefined || status !== 0) {
    throw new BootstrapError(
      `the packages could not be installed (${error?.message ?? `pnpm's exit code ${status}`}); its output above says why. ` +
        "It needs to reach the npm registry; start the same command again when that is mended.",
    );
  }
  writeFileSync(stamp, wanted);
}

/** A digest over every file that decides what is installed. */
function fingerprint(root) {
  const workspaces = ["packages", "apps"].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => join(folder, name, "package.json")),
  );
  const files = [
    "package.json",
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    "bench/package.json",
    ...workspaces.sort(),
  ];
  const hash = createHash("sha256");
  for (const file of files) {
    const path = join(root, file);
    if (existsSync(path)) hash.update(`${file}\0`).update(readFileSync(path)).update("\0");
  }
  return hash.digest("hex");
}
