import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { BootstrapError } from "./bootstrap-error.mjs";

/** Where packages put servers that are not on everybody's PATH. */
const otherFolders = ["/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin"];

/**
 * Makes sure that there is a `nats-server` (installing Debian's package if we are root there) and gives a PATH on
 * which it is found. With `NATS_URL` set none is needed and PATH is returned as it is.
 *
 * @returns {string}
 * @throws {BootstrapError} if there is none; the message says how to get it on this system
 */
export function pathWithNatsServer() {
  const path = process.env.PATH ?? "";
  if (process.env.NATS_URL) return path;
  const found = folderOfNatsServer(path) ?? (canInstall() ? install(path) : undefined);
  if (found === undefined)
    throw new BootstrapError(
      `nats-server is missing. ${howToGetIt()} Or set NATS_URL to the address of a running one.`,
    );
  return path.split(delimiter).includes(found) ? path : `${path}${delimiter}${found}`;
}

function folderOfNatsServer(path) {
  return [...path.split(delimiter), ...otherFolders].find((folder) => {
    try {
      accessSync(join(folder, "nats-server"), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

const hasApt = () => process.platform === "linux" && existsSync("/usr/bin/apt-get");
const canInstall = () => hasApt() && process.getuid() === 0;

function install(path) {
  process.stderr.write("carillon: installing nats-server from Debian's package\n");
  withoutStartingServices(() => {
    apt("update", "-q");
    apt("install", "-q", "-y", "--no-install-recommends", "nats-server");
  });
  // We start our own with its own folder and port; the system's must not come up at the next boot.
  if (existsSync("/run/systemd/system"))
    spawnSync("systemctl", ["disable", "nats-server"], { stdio: "ignore" });
  return folderOfNatsServer(path);
}

/** Debian's packages start their service once installed; a policy file, if only while we install, forbids it. */
function withoutStartingServices(action) {
  const policy = "/usr/sbin/policy-rc.d";
  if (existsSync(policy)) return action();
  writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    action();
  } finally {
    rmSync(policy);
  }
}

function apt(...args) {
  const { status } = spawnSync("apt-get", args, {
    stdio: ["ignore", 2, 2],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
  if (status !== 0) {
    throw new BootstrapError(
      `nats-server could not be installed: "apt-get ${args.join(" ")}" failed, its output above says why. ` +
        "Install nats-server yourself, or set NATS_URL to the address of a running one.",
    );
  }
}

function howToGetIt() {
  if (process.platform === "darwin") return "Get it with: brew install nats-server.";
  if (hasApt()) return "Get it with: sudo apt-get install nats-server.";
  return "Install your system's nats-server package, or put the binary from https://github.com/nats-io/nats-server/releases on your PATH.";
}
