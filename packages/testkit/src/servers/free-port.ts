import getPort, { portNumbers } from "get-port";

/**
 * Below the range from which systems take the ports of outgoing connections: one of those could get the port before
 * the server does, or while the server is restarted, and a client that tries again and again could even reach itself.
 */
const firstPort = 10_000;
const lastPort = 19_999;

/** A TCP port of 127.0.0.1 that nobody listened on a moment ago, and that this process was not given before. */
export function freePort(): Promise<number> {
  // Other processes look too: each begins elsewhere.
  const start = firstPort + Math.floor(Math.random() * (lastPort - firstPort));
  const port = [...portNumbers(start, lastPort), ...portNumbers(firstPort, start)];
  return getPort({ port, host: "127.0.0.1", reserve: true });
}
