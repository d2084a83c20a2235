import { AckPolicy, DeliverPolicy, type JetStreamManager, type Msg } from "nats";
import type { Position } from "../event-log/event-log.ts";
import type { Bus } from "../nats/bus.ts";
import { storedMessage, streamManager } from "../nats/jetstream.ts";
import { openPullFeed } from "../nats/pull-feed.ts";
import { type ChainedEvent, decodeEnvelope } from "./event-envelope.ts";
import { eventStream, eventSubjects } from "./event-stream.ts";

/** An event as the bus delivers it. */
export interface Delivery {
  readonly event: ChainedEvent;
  /** Says that this one and all before it are done. */
  acknowledge(): void;
}

/** One reader's events of one partition, in the order of the bus; some may come twice. */
export interface EventFeed {
  /**
   * The position of the last event that this reader was sent earlier, if it has not acknowledged that: the bus may
   * wait before it sends those again, so read them from the log.
   */
  readonly unacknowledged: Position | undefined;
  /**
   * What has arrived, at most `max`; waits for the first, if need be for `patienceMs`. Rejects where the bus or its
   * consumer was lost, or `close` was called: open a new feed then.
   */
  next(max: number, patienceMs?: number): Promise<Delivery[]>;
  /** How many have arrived and were not taken. */
  arrived(): number;
  close(): void;
}

const pulling = { size: 2_000, heartbeatMs: 2_000 };

/**
 * Opens the feed of the reader `name`: how far it is, the bus remembers under that name. Rejects if the stream is not
 * there: its writer makes it.
 */
export async function openEventFeed(bus: Bus, name: string, partition: number): Promise<EventFeed> {
  const manager = await streamManager(bus);
  const info = await manager.consumers.add(eventStream, {
    durable_name: name,
    filter_subject: eventSubjects(partition),
    ack_policy: AckPolicy.All,
    deliver_policy: DeliverPolicy.All,
    max_ack_pending: -1,
  });
  const unacknowledged =
    info.num_ack_pending > 0 ? await positionAt(manager, info.delivered.stream_seq) : undefined;
  const feed = openPullFeed(bus, eventStream, name, pulling);
  return {
    unacknowledged,
    next: async (max, patienceMs) => (await feed.next(max, patienceMs)).map(delivery),
    arrived: () => feed.arrived().length,
    close() {
      feed.close();
    },
  };
}

/** How many events of its partition the reader `name` has not acknowledged. Rejects if there is no such reader. */
export async function feedBacklog(bus: Bus, name: string): Promise<number> {
  const manager = await streamManager(bus);
  const { num_pending, num_ack_pending } = await manager.consumers.info(eventStream, name);
  return num_pending + num_ack_pending;
}

async function positionAt(manager: JetStreamManager, seq: number): Promise<Position | undefined> {
  const message = await storedMessage(manager, eventStream, { seq });
  return message && decodeEnvelope(message.data).position;
}

function delivery(message: Msg): Delivery {
  return {
    event: decodeEnvelope(message.data),
    acknowledge: () => {
      message.respond();
    },
  };
}
