import { AckPolicy, createInbox, DeliverPolicy, type JetStreamManager, type Msg } from "nats";
import { type Bus, watchConnection } from "./bus.ts";
import { type ChainedEvent, decodeEnvelope } from "./event-envelope.ts";
import type { Position } from "./event-log.ts";
import { eventStream, eventStreamManager, eventSubjects, isNotFound } from "./event-stream.ts";

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
   * What has arrived, at most `max`; waits for the first. Rejects where the bus or the reader's place on it was
   * lost, or `close` was called: open a new feed then.
   */
  next(max: number): Promise<Delivery[]>;
  close(): void;
}

const pullSize = 2_000;
const pullExpiresMs = 20_000;
const heartbeatMs = 2_000;
const millisecond = 1_000_000;

/**
 * Opens the feed of the reader `name`, whose place on the bus is remembered there under that name. Rejects if the
 * stream is not there: its writer makes it.
 */
export async function openEventFeed(bus: Bus, name: string, partition: number): Promise<EventFeed> {
  const manager = await eventStreamManager(bus);
  const info = await manager.consumers.add(eventStream, {
    durable_name: name,
    filter_subject: eventSubjects(partition),
    ack_policy: AckPolicy.All,
    deliver_policy: DeliverPolicy.All,
    max_ack_pending: -1,
  });
  const unacknowledged =
    info.num_ack_pending > 0 ? await positionAt(manager, info.delivered.stream_seq) : undefined;

  const inbox = createInbox();
  let arrived: Msg[] = [];
  let requested = 0;
  let waiting: PromiseWithResolvers<void> | undefined;
  let failure: Error | undefined;
  let heardAt = Date.now();

  const fail = (reason: string) => {
    if (failure) return;
    failure = new Error(`the event feed ${name}: ${reason}`);
    clearInterval(timer);
    subscription.unsubscribe();
    unwatch();
    waiting?.reject(failure);
  };

  const pull = () => {
    const wanted = pullSize - requested - arrived.length;
    if (failure || wanted < pullSize / 2) return;
    requested += wanted;
    bus.publish(
      `$JS.API.CONSUMER.MSG.NEXT.${eventStream}.${name}`,
      JSON.stringify({
        batch: wanted,
        expires: pullExpiresMs * millisecond,
        idle_heartbeat: heartbeatMs * millisecond,
      }),
      { reply: inbox },
    );
  };

  const received = (message: Msg) => {
    heardAt = Date.now();
    if (message.subject !== inbox) {
      requested--;
      arrived.push(message);
      waiting?.resolve();
      waiting = undefined;
      return;
    }
    const code = message.headers?.code;
    if (code === 100) return;
    // 408: a request ended before it was filled; the header says how much of it is open.
    if (code !== 408) return fail(`${code} ${message.headers?.description}`);
    requested -= Number(message.headers?.get("Nats-Pending-Messages") || requested);
    pull();
  };

  const subscription = bus.subscribe(inbox, {
    callback: (error, message) => (error ? fail(error.message) : received(message)),
  });
  const timer = setInterval(() => {
    if (requested > 0 && Date.now() - heardAt > 3 * heartbeatMs) fail("no heartbeat");
  }, heartbeatMs);
  // What was under way when the connection broke is lost to this feed.
  const unwatch = watchConnection(bus, () => fail("disconnected"));
  pull();

  return {
    unacknowledged,
    async next(max) {
      while (arrived.length === 0) {
        if (failure) throw failure;
        waiting ??= Promise.withResolvers();
        await waiting.promise;
      }
      if (failure) throw failure;
      const taken = arrived.slice(0, max);
      arrived = arrived.slice(max);
      pull();
      return taken.map(delivery);
    },
    close: () => fail("closed"),
  };
}

/** How many events of its partition the reader `name` has not acknowledged. Rejects if there is no such reader. */
export async function feedBacklog(bus: Bus, name: string): Promise<number> {
  const manager = await eventStreamManager(bus);
  const { num_pending, num_ack_pending } = await manager.consumers.info(eventStream, name);
  return num_pending + num_ack_pending;
}

async function positionAt(manager: JetStreamManager, seq: number): Promise<Position | undefined> {
  try {
    return decodeEnvelope((await manager.streams.getMessage(eventStream, { seq })).data).position;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function delivery(message: Msg): Delivery {
  return {
    event: decodeEnvelope(message.data),
    acknowledge: () => {
      message.respond();
    },
  };
}
