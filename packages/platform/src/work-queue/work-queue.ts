import type { Subscription } from "nats";
import { decodeEnvelope } from "../event-bus/event-envelope.ts";
import type { StoredEvent } from "../event-log/event-log.ts";
import type { Bus } from "../nats/bus.ts";
import { streamManager } from "../nats/jetstream.ts";
import { type CandidateFeed, openCandidateFeed } from "./candidate-feed.ts";
import { type WorkFeed, workFeeds } from "./work-feed.ts";
import {
  ensureWorkStreams,
  messageFrom,
  type QueueKey,
  queueKeyOf,
  workStream,
  workSubject,
} from "./work-streams.ts";

/** The way from events to work, and to the processes that do it. */
export interface WorkQueue {
  /** Follows the events of one type in streams of `category`, from the log's first. Rejects if `EVENTS` is not there. */
  candidates(handler: string, category: string, eventType: string): Promise<CandidateFeed>;
  /** Every queue that holds work. Rejects where the stream was lost or made anew: open the queue again then. */
  waiting(): Promise<QueueKey[]>;
  /** Calls `sent` with the queue of each item that somebody sends while this is open. */
  watch(sent: (queue: QueueKey) => void): void;
  /** Opens one queue. Several processes share what is in it. */
  feed(queue: QueueKey): Promise<WorkFeed>;
  /** What was taken and not answered comes again in time. */
  close(): void;
}

/** The oldest work of a handler: its event and when it was sent. */
export interface OldestWork {
  readonly event: StoredEvent;
  readonly sentAt: Date;
}

/** Opens the work queue; its streams are made if they are not there. */
export async function openWorkQueue(bus: Bus): Promise<WorkQueue> {
  const manager = await ensureWorkStreams(bus);
  const created = String((await manager.streams.info(workStream)).created);
  const feeds = workFeeds(bus, manager, created);
  const subscriptions: Subscription[] = [];

  return {
    candidates: (handler, category, eventType) =>
      openCandidateFeed(bus, manager, { handler, category, eventType }, created),
    async waiting() {
      const info = await manager.streams.info(workStream, { subjects_filter: workSubject("work") });
      if (String(info.created) !== created) throw new Error("the work queue was lost and made anew");
      return Object.keys(info.state.subjects ?? {}).map(queueKeyOf);
    },
    watch(sent) {
      // What is published for JetStream is published for every subscriber.
      subscriptions.push(
        bus.subscribe(workSubject("work"), { callback: (_, { subject }) => sent(queueKeyOf(subject)) }),
      );
    },
    feed: feeds.open,
    close() {
      feeds.close();
      for (const subscription of subscriptions) subscription.unsubscribe();
    },
  };
}

/** The oldest work of a handler that is not done; undefined if there is none. */
export async function oldestWork(bus: Bus, handler: string): Promise<OldestWork | undefined> {
  const manager = await streamManager(bus);
  const message = await messageFrom(manager, workStream, 1, workSubject("work", { handler }));
  return message && { event: decodeEnvelope(message.data), sentAt: message.time };
}
