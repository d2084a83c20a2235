import { type ConnectionOptions, connect, Events, type NatsConnection } from "nats";

/** A connection to NATS. Reconnects by itself for ever, and waits for a server that is not there yet. */
export type Bus = NatsConnection;

/**
 * Connects to NATS.
 *
 * @param url with a user and password where the server asks for them, percent-encoded; a user alone is a token:
 *   `nats://user:password@127.0.0.1:4222`
 * @param name what the server's monitoring shows
 */
export const connectBus = (url: string, name: string): Promise<Bus> =>
  connect({
    ...serverAndLogin(url),
    name,
    maxReconnectAttempts: -1,
    waitOnFirstConnect: true,
    reconnectTimeWait: 250,
  });

const answerMs = 2_000;

/** Connects to NATS once, for a short call. Rejects where it does not answer in two seconds. */
export const connectBusOnce = (url: string, name: string): Promise<Bus> =>
  connect({ ...serverAndLogin(url), name, reconnect: false, timeout: answerMs });

/** The client takes the login apart from the address. */
function serverAndLogin(url: string): Pick<ConnectionOptions, "servers" | "user" | "pass" | "token"> {
  const { scheme, user, password, server } =
    /^(?<scheme>[^:]+:\/\/)(?:(?<user>[^:@/]*)(?::(?<password>[^@/]*))?@)?(?<server>.+)$/.exec(url)?.groups ??
    {};
  const servers = `${scheme ?? ""}${server ?? url}`;
  if (user === undefined) return { servers };
  if (password === undefined) return { servers, token: decodeURIComponent(user) };
  return { servers, user: decodeURIComponent(user), pass: decodeURIComponent(password) };
}

/**
 * Calls `lost` each time that the connection was broken and is made again: what was under way is lost then. Gives
 * what ends the watch.
 */
export function watchConnection(bus: Bus, lost: () => void): () => void {
  const statuses = bus.status() as ReturnType<Bus["status"]> & { stop(): void };
  (async () => {
    for await (const { type } of statuses) if (type === Events.Reconnect) lost();
  })();
  return () => statuses.stop();
}
