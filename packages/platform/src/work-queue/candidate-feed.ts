import { parseStreamName, type TenantId } from "@carillon/domain";
import { AckPolicy, DeliverPolicy, type JetStreamManager, type Msg, nanos } from "nats";
import { decodeEnvelope } from "../event-bus/event-envelope.ts";
import { eventStream } from "../event-bus/event-stream.ts";
import type { StoredEvent } from "../event-log/event-log.ts";
import type { Bus } from "../nats/bus.ts";
import { acknowledge } from "../nats/delivery.ts";
import { openPullFeed } from "../nats/pull-feed.ts";
import { ackWaitMs, publishWork, workSubject } from "./work-streams.ts";

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

/** Which events become work of which handler. */
export interface CandidateSelection {
  readonly handler: string;
  /** Of the streams. */
  readonly category: string;
  readonly eventType: string;
}

const maxUnanswered = 2_000;
const pulling = { size: 500, heartbeatMs: 2_000 };

/**
 * Opens a handler's feed, from the log's first event on. Rejects if `EVENTS` is not there.
 *
 * @param queueCreated when the work's stream was made: one that was lost with its work is made anew, and then every event is
 * new to it
 */
export async function openCandidateFeed(
  bus: Bus,
  manager: JetStreamManager,
  { handler, category, eventType }: CandidateSelection,
  queueCreated: string,
): Promise<CandidateFeed> {
  const reader = `dispatch-${handler}-`;
  const name = reader + queueCreated.replaceAll(/\D/g, "");
  for await (const { name: other } of manager.consumers.list(eventStream)) {
    if (other.startsWith(reader) && other !== name) await manager.consumers.delete(eventStream, other);
  }
  await manager.consumers.add(eventStream, {
    durable_name: name,
    filter_subject: `events.*.*.${category}.${eventType}`,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    ack_wait: nanos(ackWaitMs),
    max_ack_pending: maxUnanswered,
  });
  const feed = openPullFeed(bus, eventStream, name, pulling);
  return {
    next: async (max) => (await feed.next(max)).map((message) => candidateOf(bus, handler, message)),
    close() {
      feed.close();
    },
  };
}

function candidateOf(bus: Bus, handler: string, message: Msg): Candidate {
  const event = decodeEnvelope(message.data);
  return {
    event,
    async send() {
      const subject = workSubject("work", { handler, tenantId: tenantOf(event) });
      await publishWork(bus, subject, message.data, `${event.id}.${handler}`);
      acknowledge(message);
    },
    skip: () => acknowledge(message),
  };
}

function tenantOf({ stream }: StoredEvent): TenantId {
  const parsed = parseStreamName(stream);
  if (!parsed) throw new Error(`an event of a foreign stream is on the bus: ${stream}`);
  return parsed.tenantId;
}
