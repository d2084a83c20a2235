import { type JetStreamManager, nanos, RetentionPolicy, StorageType } from "nats";
import type { Bus } from "../nats/bus.ts";
import { ensureStream, streamManager } from "../nats/jetstream.ts";

/** The JetStream stream that carries every event. */
export const eventStream = "EVENTS";

// Lets two writers go side by side; what is older is refused by its sequence in the stream.
const duplicateWindowMs = 5_000;

/** Every subject of the stream, or one partition's. */
export const eventSubjects = (partition?: number) =>
  partition === undefined ? "events.>" : `events.${partition}.>`;

/** Makes the stream if it is not there. */
export async function ensureEventStream(bus: Bus): Promise<JetStreamManager> {
  const manager = await streamManager(bus);
  await ensureStream(manager, {
    name: eventStream,
    subjects: [eventSubjects()],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    duplicate_window: nanos(duplicateWindowMs),
  });
  return manager;
}
