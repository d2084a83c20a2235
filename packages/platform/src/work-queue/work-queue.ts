import { parseStreamName, type TenantId } from "@carillon/domain";
import { AckPolicy, DeliverPolicy, type Msg, nanos, type Subscription } from "nats";
import { decodeEnvelope } from "../event-bus/event-envelope.ts";
import { eventStream, eventStreamManager } from "../event-bus/event-stream.ts";
import type { StoredEvent } from "../event-log/event-log.ts";
import type { Bus } from "../nats/bus.ts";
import { openPullFeed } from "../nats/pull-feed.ts";
import { deadLetterWork, type Failure } from "./dead-letters.ts";
import {
  ensureWorkStreams,
  messageFrom,
  publishWork,
  type QueueKey,
  queueKeyOf,
  workStream,
  workSubject,
} from "./work-streams.ts";

/** An event that a handler has to work on. Answer with one of `done`, `putBack` and `deadLetter`. */
export interface WorkItem extends QueueKey {
  readonly event: StoredEvent;
  /** How often it was delivered, this time counted. */
  readonly deliveries: number;
  done(): void;
  /** Delivers it again after so many milliseconds. */
  putBack(afterMs: number): void;
  /** Moves it to the dead letters. */
  deadLetter(death: Failure): Promise<void>;
}

/** One tenant's work for one handler, the oldest first. */
export interface WorkFeed {
  /** Waits for the next item. Rejects where the bus or the queue was lost, or `close` was called. */
  next(): Promise<WorkItem>;
  /** Gives back what was not taken. What was taken is still to be answered. */
  close(): void;
}

/** An event that may be work for a handler. Answer with one of `send` and `skip`. */
export interface Candidate {
  readonly event: StoredEvent;
  /** Resolves when the work is on disk. */
  send(): Promise<void>;
  skip(): void;
}

/** The events of one type, of which a handler's work is made. Several processes share them. */
export interface CandidateFeed {
  /** What has arrived, at most `max`; waits for the first. Rejects as a `WorkFeed` does. */
  next(max: number): Promise<Candidate[]>;
  close(): void;
}

/** The way from events to work, and to who does it. */
export interface WorkQueue {
  /** Follows the events of one type in streams of `category`, from the log's first. Rejects if `EVENTS` is not there. */
  candidates(handler: string, category: string, eventType: string): Promise<CandidateFeed>;
  /** Every queue that holds work. Rejects where the stream was lost or made anew: open the queue again then. */
  waiting(): Promise<QueueKey[]>;
  /** Calls `sent` with the queue of each item that somebody sends while this is open. */
  watch(sent: (place: QueueKey) => void): void;
  /** Opens one queue. Several processes share what is in it. */
  feed(place: QueueKey): Promise<WorkFeed>;
  /** What was taken and not answered comes again in time. */
  close(): void;
}

/** The oldest work of a handler: its event and when it was sent. */
export interface OldestWork {
  readonly event: StoredEvent;
  readonly sentAt: Date;
}

// Work whose worker died comes again after this; a worker that lives says so in time.
const ackWaitMs = 10_000;
const aliveEveryMs = 3_000;
// What was put back for later is in it.
const maxUnanswered = 1_000;
const maxUnansweredCandidates = 2_000;
const idleQueueKeptMs = 3_600_000;
const workPull = { size: 16, heartbeatMs: 10_000 };
const candidatePull = { size: 500, heartbeatMs: 2_000 };

/** Opens the work queue; its streams are made if they are not there. */
export async function openWorkQueue(bus: Bus): Promise<WorkQueue> {
  const manager = await ensureWorkStreams(bus);
  const { created } = await manager.streams.info(workStream);
  const held = new Set<Msg>();
  const feeds = new Set<{ arrived(): readonly Msg[] }>();
  const subscriptions: Subscription[] = [];
  const timer = setInterval(() => {
    for (const message of held) message.respond(stillWorking);
    for (const { arrived } of feeds) for (const message of arrived()) message.respond(stillWorking);
  }, aliveEveryMs);

  const itemOf = (place: QueueKey, message: Msg): WorkItem => {
    const { deliveries, sequence } = deliveryOf(message);
    held.add(message);
    const answer = (word: Uint8Array) => {
      held.delete(message);
      message.respond(word);
    };
    return {
      ...place,
      event: decodeEnvelope(message.data),
      deliveries,
      done: () => answer(done),
      putBack: (afterMs) => answer(encode(`-NAK {"delay":${Math.ceil(afterMs) * 1_000_000}}`)),
      async deadLetter(death) {
        await deadLetterWork(bus, place, message.data, `${created}.${sequence}`, death);
        answer(done);
      },
    };
  };

  return {
    async candidates(handler, category, eventType) {
      // A queue that was lost with its work is made anew, and then every event is new to it.
      const reader = `dispatch-${handler}-`;
      const name = reader + String(created).replaceAll(/\D/g, "");
      for await (const { name: other } of manager.consumers.list(eventStream)) {
        if (other.startsWith(reader) && other !== name) await manager.consumers.delete(eventStream, other);
      }
      await manager.consumers.add(eventStream, {
        durable_name: name,
        filter_subject: `events.*.*.${category}.${eventType}`,
        ack_policy: AckPolicy.Explicit,
        deliver_policy: DeliverPolicy.All,
        ack_wait: nanos(ackWaitMs),
        max_ack_pending: maxUnansweredCandidates,
      });
      const feed = openPullFeed(bus, eventStream, name, candidatePull);
      return {
        next: async (max) =>
          (await feed.next(max)).map((message) => {
            const event = decodeEnvelope(message.data);
            return {
              event,
              async send() {
                const subject = workSubject("work", { handler, tenantId: tenantOf(event) });
                await publishWork(bus, subject, message.data, `${event.id}.${handler}`);
                message.respond(done);
              },
              skip: () => {
                message.respond(done);
              },
            };
          }),
        close() {
          feed.close();
        },
      };
    },

    async waiting() {
      const info = await manager.streams.info(workStream, { subjects_filter: workSubject("work") });
      if (info.created !== created) throw new Error("the work queue was lost and made anew");
      return Object.keys(info.state.subjects ?? {}).map(queueKeyOf);
    },

    watch(sent) {
      // What is published for JetStream is published for whoever listens.
      subscriptions.push(
        bus.subscribe(workSubject("work"), { callback: (_, { subject }) => sent(queueKeyOf(subject)) }),
      );
    },

    async feed(place) {
      const name = `${place.handler}-${place.tenantId}`;
      await manager.consumers.add(workStream, {
        durable_name: name,
        filter_subject: workSubject("work", place),
        ack_policy: AckPolicy.Explicit,
        deliver_policy: DeliverPolicy.All,
        ack_wait: nanos(ackWaitMs),
        max_ack_pending: maxUnanswered,
        inactive_threshold: nanos(idleQueueKeptMs),
      });
      const feed = openPullFeed(bus, workStream, name, workPull);
      feeds.add(feed);
      return {
        async next() {
          const [message] = await feed.next(1);
          if (!message) throw new Error("a feed answered with nothing");
          return itemOf(place, message);
        },
        close() {
          feeds.delete(feed);
          for (const message of feed.close()) message.respond(encode("-NAK"));
        },
      };
    },

    close() {
      clearInterval(timer);
      for (const subscription of subscriptions) subscription.unsubscribe();
    },
  };
}

/** The oldest work of a handler that is not done; undefined if there is none. */
export async function oldestWork(bus: Bus, handler: string): Promise<OldestWork | undefined> {
  const manager = await eventStreamManager(bus);
  const message = await messageFrom(manager, workStream, 1, workSubject("work", { handler }));
  return message && { event: decodeEnvelope(message.data), sentAt: message.time };
}

/**
 * Reads the subject under which a delivery is answered:
 * `$JS.ACK.<stream>.<consumer>.<deliveries>.<sequence>…`, with a domain and an account before the stream where there
 * are such (nats-server ADR-15).
 */
function deliveryOf({ reply = "" }: Msg): { deliveries: number; sequence: number } {
  const parts = reply.split(".");
  const first = parts.length > 9 ? 6 : 4;
  return { deliveries: Number(parts[first]), sequence: Number(parts[first + 1]) };
}

function tenantOf({ stream }: StoredEvent): TenantId {
  const parts = parseStreamName(stream);
  if (!parts) throw new Error(`an event of a foreign stream is on the bus: ${stream}`);
  return parts.tenantId;
}

const encoder = new TextEncoder();
const encode = (word: string) => encoder.encode(word);
const done = encode("+ACK");
const stillWorking = encode("+WPI");
