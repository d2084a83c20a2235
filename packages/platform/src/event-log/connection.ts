import { setTimeout as delay } from "node:timers/promises";
import { CarillonError } from "@carillon/domain";
import {
  CancelledError,
  DeadlineExceededError,
  EventStoreDBClient,
  UnavailableError,
} from "@eventstore/db-client";

/** How long to wait before another try, in milliseconds. */
export const reconnectDelayMs = 100;

/** A client of the event log that is replaced when its connection breaks. */
export interface LogConnection {
  /** The client of now. */
  readonly client: EventStoreDBClient;
  readonly closed: boolean;
  /** How long a call goes on trying while the log cannot be reached, in milliseconds. */
  readonly patienceMs: number;
  /** Runs an idempotent call again until the log answers. Throws `unavailable` when patience ends. */
  persist<Result>(call: (client: EventStoreDBClient) => Promise<Result>): Promise<Result>;
  /** Throws where a read through `used` may have ended early: a client that is replaced ends it as if there were no more. */
  assertWhole(used: EventStoreDBClient): void;
  /** Puts a new client in the place of `used`. Throws what is not the connection's fault. */
  recover(error: unknown, used: EventStoreDBClient): void;
  /** The same; throws `unavailable` besides when patience ends. @param deadline in milliseconds since 1970 */
  recoverUntil(deadline: number, error: unknown, used: EventStoreDBClient): void;
  /** Cancels what is under way. */
  close(): void;
}

/** @param url a connection string, `esdb://127.0.0.1:2113?tls=false` */
export function openConnection(url: string, patienceMs: number): LogConnection {
  let client = EventStoreDBClient.connectionString(url);
  let closed = false;

  const connection: LogConnection = {
    get client() {
      return client;
    },
    get closed() {
      return closed;
    },
    patienceMs,
    async persist(call) {
      for (const deadline = Date.now() + patienceMs; ; await delay(reconnectDelayMs)) {
        const used = client;
        try {
          return await call(used);
        } catch (error) {
          connection.recoverUntil(deadline, error, used);
        }
      }
    },
    assertWhole(used) {
      if (client !== used || closed) throw new ReadCut("a read was cut off");
    },
    recover(error, used) {
      if (!isTransport(error)) throw error;
      // A client whose connection broke can keep a failed handshake for good, so it is replaced, once per breakage.
      if (client !== used || closed) return;
      client = EventStoreDBClient.connectionString(url);
      used.dispose().catch(() => {});
    },
    recoverUntil(deadline, error, used) {
      connection.recover(error, used);
      if (closed || Date.now() >= deadline) {
        throw new CarillonError("unavailable", "The event log cannot be reached: try again.", {
          cause: error,
        });
      }
    },
    close() {
      closed = true;
      // Every call is cancelled when this returns. The client's promise waits for their ends, some of which never come.
      client.dispose().catch(() => {});
    },
  };
  return connection;
}

/** Thrown where an append is not answered: it may have been stored. */
export class AppendTimeout extends Error {}

/** Thrown where a read ended before its end. */
class ReadCut extends Error {}

/** The statuses of gRPC that say that the answer is missing, not that there was a wrong question: CANCELLED, DEADLINE_EXCEEDED, UNAVAILABLE. */
const transportStatuses: readonly unknown[] = [1, 4, 14];

const isTransport = (error: unknown) =>
  error instanceof UnavailableError ||
  error instanceof CancelledError ||
  error instanceof DeadlineExceededError ||
  error instanceof AppendTimeout ||
  error instanceof ReadCut ||
  // The client's handshake fails with gRPC's own error.
  (error instanceof Error && "code" in error && transportStatuses.includes(error.code));
