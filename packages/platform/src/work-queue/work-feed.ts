import { AckPolicy, DeliverPolicy, type JetStreamManager, type Msg, nanos } from "nats";
import { decodeEnvelope } from "../event-bus/event-envelope.ts";
import type { StoredEvent } from "../event-log/event-log.ts";
import type { Bus } from "../nats/bus.ts";
import { acknowledge, deliveryInfo, keepWorking, retryLater } from "../nats/delivery.ts";
import { openPullFeed } from "../nats/pull-feed.ts";
import { deadLetterWork, type Failure } from "./dead-letters.ts";
import { ackWaitMs, type QueueKey, workStream, workSubject } from "./work-streams.ts";

/** An event that a handler has to work on. Answer with one of `done`, `retryLater` and `deadLetter`. */
export interface WorkItem extends QueueKey {
  readonly event: StoredEvent;
  /** How often it was delivered, this time counted. */
  readonly deliveries: number;
  done(): void;
  /** Returns it to its queue, which delivers it again after so many milliseconds. */
  retryLater(afterMs: number): void;
  /** Moves it to the dead letters. */
  deadLetter(failure: Failure): Promise<void>;
}

/** One tenant's work for one handler, the oldest first. */
export interface WorkFeed {
  /** Waits for the next item. Rejects where the bus or the queue was lost, or `close` was called. */
  next(): Promise<WorkItem>;
  /** Gives back what was not taken. What was taken is still to be answered. */
  close(): void;
}

const aliveEveryMs = 3_000;
// What waits to be tried again is in it.
const maxUnanswered = 1_000;
const idleQueueKeptMs = 3_600_000;
const pulling = { size: 16, heartbeatMs: 10_000 };

/** Opens the feeds of queues, and keeps what they have taken from being delivered again. */
export function workFeeds(bus: Bus, manager: JetStreamManager, queueCreated: string) {
  const held = new Set<Msg>();
  const feeds = new Set<{ arrived(): readonly Msg[] }>();
  const timer = setInterval(() => {
    for (const message of held) keepWorking(message);
    for (const { arrived } of feeds) for (const message of arrived()) keepWorking(message);
  }, aliveEveryMs);

  const itemOf = (queue: QueueKey, message: Msg): WorkItem => {
    const { deliveries, streamSequence } = deliveryInfo(message);
    held.add(message);
    const release = () => held.delete(message);
    return {
      ...queue,
      event: decodeEnvelope(message.data),
      deliveries,
      done() {
        release();
        acknowledge(message);
      },
      retryLater(afterMs) {
        release();
        retryLater(message, afterMs);
      },
      async deadLetter(failure) {
        await deadLetterWork(bus, queue, message.data, `${queueCreated}.${streamSequence}`, failure);
        release();
        acknowledge(message);
      },
    };
  };

  return {
    async open(queue: QueueKey): Promise<WorkFeed> {
      const consumer = await ensureConsumer(manager, queue);
      const feed = openPullFeed(bus, workStream, consumer, pulling);
      feeds.add(feed);
      return {
        async next() {
          const [message] = await feed.next(1);
          if (!message) throw new Error("a feed answered with nothing");
          return itemOf(queue, message);
        },
        close() {
          feeds.delete(feed);
          for (const message of feed.close()) retryLater(message);
        },
      };
    },
    close: () => clearInterval(timer),
  };
}

/** Makes the consumer that the processes of a queue share, and gives its name. */
async function ensureConsumer(manager: JetStreamManager, queue: QueueKey): Promise<string> {
  const name = `${queue.handler}-${queue.tenantId}`;
  await manager.consumers.add(workStream, {
    durable_name: name,
    filter_subject: workSubject("work", queue),
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    ack_wait: nanos(ackWaitMs),
    max_ack_pending: maxUnanswered,
    inactive_threshold: nanos(idleQueueKeptMs),
  });
  return name;
}
