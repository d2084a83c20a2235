import { setTimeout as delay } from "node:timers/promises";
import {
  AckPolicy,
  DiscardPolicy,
  type JetStreamClient,
  type JsMsg,
  RetentionPolicy,
  StorageType,
} from "nats";
import { isNotFound } from "../event-bus/event-stream.ts";
import type { Bus } from "../nats/bus.ts";
import { keepBucket } from "../nats/reopened-bucket.ts";

/**
 * What must come into the event log but need not be waited for: a durable queue on the bus. An entry that was taken
 * outlives the worker that took it, and is there until somebody has handled it.
 */
export interface LoginJournal {
  /**
   * Stores an entry, a plain JSON value. Throws `CarillonError` `unavailable` where the bus is away or the queue is
   * full; the entry may have been stored all the same.
   */
  add(entry: unknown): Promise<void>;
  /**
   * Handles entries, several at once and in no order, until `signal` aborts; then finishes what is under way. An entry
   * whose `handle` rejects, or whose worker dies, is handled again, by this worker or another.
   *
   * @param failed is told why entries wait, once for each time
   */
  follow(
    handle: (entry: unknown) => Promise<void>,
    failed: (error: unknown) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** How many entries are not yet handled. */
  pending(): Promise<number>;
}

const stream = "LOGINS";
const subject = "logins.accepted";
const consumer = "auth";

/** Some 600,000 logins. */
const maxBytes = 256 * 1024 * 1024;
const concurrency = 64;
/** Entries wait so long for others: together they take the log and all behind it a fraction of the work. */
const gatherMs = 200;
const millisecond = 1_000_000;
/** After this time without an acknowledgement an entry is given to somebody else. */
const ackWaitMs = 5_000;
const retryMs = 500;
const requestTimeoutMs = 5_000;

/** Opens the queue `LOGINS`, which is made when it is first needed. */
export function openLoginJournal(bus: Bus): LoginJournal {
  const manage = () => bus.jetstreamManager({ timeout: requestTimeoutMs, checkAPI: false });

  const ensureQueue = async () => {
    const manager = await manage();
    try {
      await manager.streams.info(stream);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      await manager.streams.add({
        name: stream,
        subjects: [subject],
        storage: StorageType.File,
        retention: RetentionPolicy.Workqueue,
        discard: DiscardPolicy.New,
        max_bytes: maxBytes,
      });
    }
    await manager.consumers.add(stream, {
      durable_name: consumer,
      ack_policy: AckPolicy.Explicit,
      ack_wait: ackWaitMs * millisecond,
      max_ack_pending: 4_096,
    });
  };

  const withQueue = keepBucket<JetStreamClient>("The login journal", async () => {
    await ensureQueue();
    return bus.jetstream({ timeout: requestTimeoutMs });
  });

  /** Handles entries until `signal` aborts or the queue is lost. */
  const consume = async (handle: (message: JsMsg) => Promise<void>, signal: AbortSignal) => {
    const place = await withQueue((queue) => queue.consumers.get(stream, consumer));
    const messages = await place.consume({
      max_messages: 2 * concurrency,
      abort_on_missing_resource: true,
    });
    const stop = () => messages.stop();
    signal.addEventListener("abort", stop, { once: true });
    const underWay = new Set<Promise<unknown>>();
    let gathered: JsMsg[] = [];
    let timer: NodeJS.Timeout | undefined;
    const handleGathered = () => {
      clearTimeout(timer);
      const batch = Promise.all(gathered.map(handle)).finally(() => underWay.delete(batch));
      underWay.add(batch);
      gathered = [];
    };
    try {
      for await (const message of messages) {
        if (gathered.push(message) === 1) timer = setTimeout(handleGathered, gatherMs);
        if (gathered.length < concurrency) continue;
        handleGathered();
        await Promise.race(underWay);
      }
    } finally {
      signal.removeEventListener("abort", stop);
      handleGathered();
      await Promise.all(underWay);
    }
  };

  return {
    add: (entry) =>
      withQueue(async (queue) => {
        await queue.publish(subject, JSON.stringify(entry));
      }),
    async follow(handle, failed, signal) {
      const handleOne = async (message: JsMsg) => {
        try {
          await handle(message.json());
          message.ack();
        } catch (error) {
          failed(error);
          message.nak(retryMs);
        }
      };
      while (!signal.aborted) {
        try {
          await consume(handleOne, signal);
        } catch (error) {
          failed(error);
        }
        await delay(retryMs, undefined, { signal }).catch(() => {});
      }
    },
    pending: () =>
      withQueue(async () => {
        const { num_pending, num_ack_pending } = await (await manage()).consumers.info(stream, consumer);
        return num_pending + num_ack_pending;
      }),
  };
}
