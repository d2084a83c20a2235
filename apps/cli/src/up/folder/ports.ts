import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { z } from "zod";

/** Below the range from which systems take the ports of outgoing connections, which would collide at a restart. */
const firstPort = 20_000;
const lastPort = 29_999;

/**
 * A port on 127.0.0.1 for every name. With `base` they are consecutive from there, and a taken one is an error.
 * Otherwise they are free ones, remembered in the folder so that a restart keeps its addresses; one that somebody
 * else has taken meanwhile is replaced.
 */
export async function choosePorts<Name extends string>(
  folder: string,
  names: readonly Name[],
  base: number | undefined,
): Promise<Record<Name, number>> {
  if (base !== undefined) {
    const ports = names.map((_, index) => base + index);
    const free = await Promise.all(ports.map(isFree));
    const taken = ports.filter((_, index) => !free[index]);
    if (taken.length > 0)
      throw new Error(`these ports are in use: ${taken.join(", ")}; choose another --port-base`);
    return Object.fromEntries(names.map((name, index) => [name, base + index])) as Record<Name, number>;
  }

  const file = join(folder, "ports.json");
  const remembered = existsSync(file) ? Ports.parse(JSON.parse(readFileSync(file, "utf8"))) : {};
  const chosen: Record<string, number> = {};
  for (const name of names) {
    const before = remembered[name];
    const taken = Object.values({ ...remembered, ...chosen });
    chosen[name] = before !== undefined && (await isFree(before)) ? before : await freePort(taken);
  }
  writeFileSync(file, `${JSON.stringify(chosen, null, 2)}\n`);
  return chosen as Record<Name, number>;
}

const Ports = z.record(z.string(), z.int().min(1).max(65_535));

async function freePort(except: readonly number[]): Promise<number> {
  for (;;) {
    const port = firstPort + Math.floor(Math.random() * (lastPort - firstPort + 1));
    if (!except.includes(port) && (await isFree(port))) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
