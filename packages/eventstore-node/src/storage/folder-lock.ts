import { createHash } from "node:crypto";
import { once } from "node:events";
import { realpathSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Held by the one node that has a folder open. */
export interface FolderLock {
  release(): Promise<void>;
}

/**
 * Takes the exclusive lock of the folder `dir`, which must exist. The lock is a listening local socket named after the
 * folder, so the system frees it when its process dies, however it dies.
 * @throws when another node has the folder open.
 */
export async function lockFolder(dir: string): Promise<FolderLock> {
  const address = lockAddress(realpathSync(dir));
  if (address.isFile && !(await answers(address.path))) rmSync(address.path, { force: true });
  const server = createServer((socket) => socket.destroy());
  try {
    await listen(server, address.path);
  } catch (cause) {
    throw new Error(`the folder ${dir} is already open in another event store node`, { cause });
  }
  server.unref();
  return {
    async release() {
      server.close();
      await once(server, "close");
    },
  };
}

function lockAddress(folder: string): { path: string; isFile: boolean } {
  const name = `eventstore-node-${createHash("sha256").update(folder).digest("hex").slice(0, 32)}`;
  if (process.platform === "linux") return { path: `\0${name}`, isFile: false };
  if (process.platform === "win32") return { path: `\\\\.\\pipe\\${name}`, isFile: false };
  return { path: join(tmpdir(), `${name}.sock`), isFile: true };
}

async function listen(server: Server, path: string): Promise<void> {
  server.listen({ path });
  await once(server, "listening");
}

async function answers(path: string): Promise<boolean> {
  const socket = connect({ path });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
