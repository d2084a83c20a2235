import { type JetStreamManager, NatsError, RetentionPolicy, StorageType } from "nats";
import type { Bus } from "../nats/bus.ts";

/** The JetStream stream that carries every event. */
export const eventStream = "EVENTS";

// Lets two writers go side by side; what is older is refused by its place in the stream.
const duplicateWindowNs = 5_000_000_000;

/** Every subject of the stream, or one partition's. */
export const eventSubjects = (partition?: number) =>
  partition === undefined ? "events.>" : `events.${partition}.>`;

// A request that is sent while the connection is broken is never answered.
const requestTimeoutMs = 2_000;

/** What asks the broker about streams and their readers. */
export const eventStreamManager = (bus: Bus): Promise<JetStreamManager> =>
  bus.jetstreamManager({ timeout: requestTimeoutMs });

/** Makes the stream if it is not there. */
export async function ensureEventStream(bus: Bus): Promise<JetStreamManager> {
  const manager = await eventStreamManager(bus);
  try {
    await manager.streams.info(eventStream);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await manager.streams.add({
      name: eventStream,
      subjects: [eventSubjects()],
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      duplicate_window: duplicateWindowNs,
    });
  }
  return manager;
}

/** Whether JetStream says that a stream, a consumer or a message is not there. */
export const isNotFound = (error: unknown) => error instanceof NatsError && error.api_error?.code === 404;
