import { connect, type NatsConnection } from "nats";

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
