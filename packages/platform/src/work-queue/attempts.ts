import { openBucket } from "../nats/bucket.ts";
import type { Bus } from "../nats/bus.ts";
import type { QueueKey } from "./work-streams.ts";

/** What is known of work that is to be tried again. */
export interface Tries {
  /** How often it failed. */
  readonly failures: number;
  /** ISO 8601; null if it never failed. */
  readonly firstFailedAt: string | null;
  /** How often it had been delivered when it was last returned to its queue. */
  readonly deliveries: number;
}

/**
 * The tries of work that returned to its queue. JetStream counts deliveries, of which some are no try: the work waited
 * until its time comes, or while a server was away. Every call throws `CarillonError` `unavailable` where NATS does
 * not answer.
 */
export interface TriesStore {
  get(queue: QueueKey, eventId: string): Promise<Tries | undefined>;
  put(queue: QueueKey, eventId: string, tries: Tries): Promise<void>;
  forget(queue: QueueKey, eventId: string): Promise<void>;
}

// Longer than any work waits to be tried again.
const keptMs = 7 * 86_400_000;

/** Opens the tries in a JetStream bucket, which is made when it is first needed. */
export function openTries(bus: Bus): TriesStore {
  const bucket = openBucket<Tries>(bus, "work_tries", { what: "The work queue", ttlMs: keptMs });
  return {
    get: async (queue, eventId) => (await bucket.get(keyOf(queue, eventId)))?.value,
    put: (queue, eventId, tries) => bucket.put(keyOf(queue, eventId), tries),
    forget: (queue, eventId) => bucket.delete(keyOf(queue, eventId)),
  };
}

const keyOf = ({ handler, tenantId }: QueueKey, eventId: string) => `${handler}.${tenantId}.${eventId}`;
