import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Below the range from which systems take the ports of outgoing connections: one of those could get the port before
 * the server does, or while the server is restarted, and a client that tries again and again could even reach itself.
 */
const firstPort = 10_000;
const lastPort = 19_999;

const given = new Set<number>();

/** A TCP port of this machine that nobody listened on a moment ago, and that this process was not given before. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = firstPort + Math.floor(Math.random() * (lastPort - firstPort + 1));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
