import type { KV } from "nats";
import type { Bus } from "../nats/bus.ts";
import { keepBucket } from "../nats/reopened-bucket.ts";
import type { QueueKey } from "./work-streams.ts";

/** What is known of work that was put back. */
export interface Tries {
  /** How often it failed. */
  readonly failures: number;
  /** ISO 8601; null if it never failed. */
  readonly firstFailedAt: string | null;
  /** How often it had been delivered when it was last put back. */
  readonly deliveries: number;
}

/**
 * The tries of work that was put back. JetStream counts deliveries, of which some are no try: the work was put back
 * until its time comes, or while a server was away. Every call throws `CarillonError` `unavailable` where NATS does
 * not answer.
 */
export interface TriesStore {
  get(place: QueueKey, eventId: string): Promise<Tries | undefined>;
  put(place: QueueKey, eventId: string, tries: Tries): Promise<void>;
  forget(place: QueueKey, eventId: string): Promise<void>;
}

// Longer than any work is put back for.
const keptMs = 7 * 86_400_000;

/** Opens the tries in a JetStream bucket, which is made when it is first needed. */
export function openTries(bus: Bus): TriesStore {
  const withBucket = keepBucket<KV>("The work queue", () =>
    bus.jetstream().views.kv("work_tries", { ttl: keptMs, history: 1 }),
  );
  return {
    get: (place, eventId) =>
      withBucket(async (bucket) => {
        const entry = await bucket.get(keyOf(place, eventId));
        return entry?.operation === "PUT" ? entry.json<Tries>() : undefined;
      }),
    put: (place, eventId, tries) =>
      withBucket(async (bucket) => {
        await bucket.put(keyOf(place, eventId), JSON.stringify(tries));
      }),
    forget: (place, eventId) => withBucket((bucket) => bucket.delete(keyOf(place, eventId))),
  };
}

const keyOf = ({ handler, tenantId }: QueueKey, eventId: string) => `${handler}.${tenantId}.${eventId}`;
