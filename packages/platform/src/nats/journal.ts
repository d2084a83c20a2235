import {
  AckPolicy,
  DiscardPolicy,
  type JetStreamClient,
  type JsMsg,
  nanos,
  RetentionPolicy,
  StorageType,
} from "nats";
import { keepTrying } from "../timing/keep-trying.ts";
import type { Bus } from "./bus.ts";
import { ensureStream, streamManager } from "./jetstream.ts";
import { keepOpen } from "./keep-open.ts";

/**
 * What must be handled but need not be waited for: a durable queue on the bus. An entry that was taken outlives the worker
 * that took it, and is there until somebody has handled it.
 */
export interface Journal {
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

export interface JournalOptions {
  /** The JetStream stream. */
  readonly stream: string;
  /** Its one subject. */
  readonly subject: string;
  /** Under which name those who handle entries share them. */
  readonly consumer: string;
  /** What a client is told cannot be reached, as in "The login journal". */
  readonly what: string;
  /** How much waits at most; more is not taken. */
  readonly maxBytes: number;
}

const concurrency = 64;
/** Entries wait so long for others: together they take what is behind them a fraction of the work. */
const gatherMs = 200;
/** After this time without an acknowledgement an entry is given to somebody else. */
const ackWaitMs = 5_000;
const retryMs = 500;
const requestTimeoutMs = 5_000;

/** Opens a journal; its stream is made when it is first needed. */
export function openJournal(bus: Bus, options: JournalOptions): Journal {
  const { stream, subject, consumer, what } = options;
  const withQueue = keepOpen<JetStreamClient>(what, async () => {
    await ensureQueue(bus, options);
    return bus.jetstream({ timeout: requestTimeoutMs });
  });

  /** Handles entries until `signal` aborts or the queue is lost. */
  const consume = async (handle: (message: JsMsg) => Promise<void>, signal: AbortSignal) => {
    const queue = await withQueue((client) => client.consumers.get(stream, consumer));
    const messages = await queue.consume({
      max_messages: 2 * concurrency,
      abort_on_missing_resource: true,
    });
    const stop = () => messages.stop();
    signal.addEventListener("abort", stop, { once: true });
    try {
      await handleInBatches(messages, handle);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  };

  return {
    add: (entry) =>
      withQueue(async (client) => {
        await client.publish(subject, JSON.stringify(entry));
      }),
    follow(handle, failed, signal) {
      const handleOne = async (message: JsMsg) => {
        try {
          await handle(message.json());
          message.ack();
        } catch (error) {
          failed(error);
          message.nak(retryMs);
        }
      };
      return keepTrying(() => consume(handleOne, signal), { signal, pauseMs: retryMs, failed });
    },
    pending: () =>
      withQueue(async () => {
        const { consumers } = await streamManager(bus, requestTimeoutMs);
        const { num_pending, num_ack_pending } = await consumers.info(stream, consumer);
        return num_pending + num_ack_pending;
      }),
  };
}

async function ensureQueue(bus: Bus, { stream, subject, consumer, maxBytes }: JournalOptions): Promise<void> {
  const manager = await streamManager(bus, requestTimeoutMs);
  await ensureStream(manager, {
    name: stream,
    subjects: [subject],
    storage: StorageType.File,
    retention: RetentionPolicy.Workqueue,
    discard: DiscardPolicy.New,
    max_bytes: maxBytes,
  });
  await manager.consumers.add(stream, {
    durable_name: consumer,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ackWaitMs),
    max_ack_pending: 4_096,
  });
}

/** Resolves when the messages have ended and all are handled; rejects where one of the handlers does. */
async function handleInBatches(
  messages: AsyncIterable<JsMsg>,
  handle: (message: JsMsg) => Promise<void>,
): Promise<void> {
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
    handleGathered();
    await Promise.all(underWay);
  }
}
