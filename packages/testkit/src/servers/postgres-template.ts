import { createHash } from "node:crypto";
import { access, chmod, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { postgresProcess } from "@carillon/launcher";

/** Of the superuser `postgres` and the owner, in every test. */
export const clusterPasswords = { superuserPassword: "superuser", ownerPassword: "owner" };

/** Files that a power cut can lose are fine in a test; a test that kills the server keeps them, the system has them. */
export const testSettings = { fsync: "off", full_page_writes: "off" };

const postgresCluster = createRequire(import.meta.url).resolve("@carillon/launcher/postgres-cluster");

/**
 * A stopped cluster to copy, as the platform makes it: made once on a machine, since that takes seconds. Gives its
 * folder.
 */
export async function clusterTemplate(): Promise<string> {
  const key = createHash("sha256").update(await recipe());
  const template = join(
    tmpdir(),
    `carillon-cluster-${userInfo().username}-${key.digest("hex").slice(0, 12)}`,
  );
  if (await exists(template)) return template;
  const folder = await mkdtemp(`${template}-`);
  await chmod(folder, 0o755);
  const made = join(folder, "data");
  const { prepare } = await postgresProcess({ folder: made, port: 1, ...clusterPasswords });
  await prepare?.();
  // The first that is done keeps its own: the others' are the same.
  await rename(made, template).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== "ENOTEMPTY") throw error;
  });
  await rm(folder, { recursive: true, force: true });
  return template;
}

/** What decides how a cluster looks: our code that makes it, and the programs' path, which names their version. */
async function recipe(): Promise<string> {
  const { command, args } = await postgresProcess({
    folder: join(tmpdir(), "data"),
    port: 1,
    ...clusterPasswords,
  });
  const source = await readFile(postgresCluster, "utf8");
  return JSON.stringify([source, command, args, clusterPasswords]);
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );
