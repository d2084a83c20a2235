import { connect, Events, type NatsConnection } from "nats";

/** A connection to NATS. Reconnects by itself for ever, and waits for a server that is not there yet. */
export type Bus = NatsConnection;

/** Connects to NATS. `name` is what the server's monitoring shows. */
export const connectBus = (url: string, name: string): Promise<Bus> =>
  connect({
    servers: url,
    name,
    maxReconnectAttempts: -1,
    waitOnFirstConnect: true,
    reconnectTimeWait: 250,
  });

const answerMs = 2_000;

/** Connects to NATS once, for a short call. Rejects where it does not answer in two seconds. */
export const connectBusOnce = (url: string, name: string): Promise<Bus> =>
  connect({ servers: url, name, reconnect: false, timeout: answerMs });

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
