import { createInbox, headers, type JetStreamManager, type Msg } from "nats";
import type { Position, StoredEvent } from "../event-log/event-log.ts";
import { type Bus, watchConnection } from "../nats/bus.ts";
import { decodeEnvelope, type EventRoute, encodeEnvelope } from "./event-envelope.ts";
import { ensureEventStream, eventStream, eventSubjects, isNotFound } from "./event-stream.ts";
import { partitionCount } from "./partition.ts";

/**
 * Writes events to the bus in order. Each message names the sequence that must be the stream's last, so a lost
 * message refuses all after it, and of two writers the slower is refused.
 */
export interface EventPublisher {
  /** The position of the last event on the bus when the publisher was opened. */
  readonly last: Position | undefined;
  /**
   * Sends the next event. Gives a promise where the caller should wait for the broker to catch up, which rejects
   * once the publisher has failed. Whether it arrived is known through `failed` only.
   */
  publish(event: StoredEvent, place: EventRoute): Promise<void> | undefined;
  /** Aborts once anything is uncertain. Open a new publisher then: it begins at what really arrived. */
  readonly failed: AbortSignal;
  /** Resolves when everything sent has arrived; rejects once the publisher has failed. */
  settled(): Promise<void>;
  close(): void;
}

const maxInFlight = 512;
const checkIntervalMs = 1_000;
const silenceMs = 5_000;

/** Opens the stream for writing, which is made if it is not there. */
export async function openEventPublisher(bus: Bus): Promise<EventPublisher> {
  const manager = await ensureEventStream(bus);
  const { sequence, position } = await lastOnBus(manager);
  const previous = await previousByPartition(manager);
  const failure = new AbortController();
  const inbox = createInbox();
  let sent = sequence;
  let acknowledged = sequence;
  let heardAt = Date.now();
  let room: PromiseWithResolvers<void> | undefined;

  const fail = (reason: string) => {
    if (failure.signal.aborted) return;
    const error = new Error(`the event bus: ${reason}`);
    failure.abort(error);
    room?.reject(error);
  };

  const waitUntil = async (inFlight: number) => {
    while (sent - acknowledged > inFlight) {
      failure.signal.throwIfAborted();
      room ??= Promise.withResolvers();
      await room.promise;
    }
    failure.signal.throwIfAborted();
  };

  const answered = (message: Msg) => {
    heardAt = Date.now();
    const answer =
      message.data.length === 0
        ? undefined
        : message.json<{ seq?: number; error?: { description: string } }>();
    if (answer?.seq !== acknowledged + 1)
      return fail(answer?.error?.description ?? "a message did not arrive in its place");
    acknowledged++;
    if (room && (sent === acknowledged || sent - acknowledged <= maxInFlight / 2)) {
      room.resolve();
      room = undefined;
    }
  };

  const subscription = bus.subscribe(inbox, {
    callback: (error, message) => (error ? fail(error.message) : answered(message)),
  });

  const unwatch = watchConnection(bus, () => fail("disconnected"));

  // Also while nothing is published: a stream that was lost is filled again at once.
  const check = async () => {
    if (sent > acknowledged) {
      if (Date.now() - heardAt > silenceMs) fail("no answer");
      return;
    }
    const before = acknowledged;
    const { state } = await manager.streams.info(eventStream);
    if (sent !== before) return;
    if (state.last_seq !== before || (before > 0 && state.messages === 0)) fail("the stream changed");
  };
  const timer = setInterval(() => {
    check().catch((error: unknown) => {
      if (isNotFound(error)) fail("the stream is gone");
    });
  }, checkIntervalMs);

  return {
    last: position,
    failed: failure.signal,
    publish(event, { partition, subject }) {
      failure.signal.throwIfAborted();
      if (sent === acknowledged) heardAt = Date.now();
      const about = headers();
      about.append("Nats-Msg-Id", event.id);
      about.append("Nats-Expected-Last-Sequence", String(sent));
      const payload = encodeEnvelope({ ...event, previous: previous[partition] ?? null });
      bus.publish(subject, payload, { headers: about, reply: inbox });
      previous[partition] = event.position;
      sent++;
      return sent - acknowledged >= maxInFlight ? waitUntil(maxInFlight / 2) : undefined;
    },
    settled: () => waitUntil(0),
    close() {
      clearInterval(timer);
      unwatch();
      subscription.unsubscribe();
      fail("closed");
    },
  };
}

async function lastOnBus(manager: JetStreamManager) {
  const last = await lastMessage(manager, eventSubjects());
  if (last) return { sequence: last.seq, position: decodeEnvelope(last.data).position };
  const { state } = await manager.streams.info(eventStream);
  return { sequence: state.last_seq, position: undefined };
}

async function previousByPartition(manager: JetStreamManager): Promise<(Position | null)[]> {
  const partitions = Array.from({ length: partitionCount }, (_, partition) => partition);
  return Promise.all(
    partitions.map(async (partition) => {
      const last = await lastMessage(manager, eventSubjects(partition));
      return last ? decodeEnvelope(last.data).position : null;
    }),
  );
}

async function lastMessage(manager: JetStreamManager, subject: string) {
  try {
    return await manager.streams.getMessage(eventStream, { last_by_subj: subject });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
