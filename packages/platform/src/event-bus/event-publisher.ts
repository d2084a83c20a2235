import { createInbox, headers, type JetStreamManager, type Msg } from "nats";
import type { Position, StoredEvent } from "../event-log/event-log.ts";
import { type Bus, watchConnection } from "../nats/bus.ts";
import { isNotFound, storedMessage } from "../nats/jetstream.ts";
import { decodeEnvelope, type EventRoute, encodeEnvelope } from "./event-envelope.ts";
import { ensureEventStream, eventStream, eventSubjects } from "./event-stream.ts";
import { partitionCount } from "./partition.ts";
import { type SendWindow, sendWindow } from "./send-window.ts";

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
  publish(event: StoredEvent, route: EventRoute): Promise<void> | undefined;
  /** Aborts once anything is uncertain. Open a new publisher then: it begins at what really arrived. */
  readonly failed: AbortSignal;
  /** Resolves when everything sent has arrived; rejects once the publisher has failed. */
  settled(): Promise<void>;
  close(): void;
}

type Fail = (reason: string) => void;

const checkIntervalMs = 1_000;
const silenceMs = 5_000;

/** Opens the stream for writing, which is made if it is not there. */
export async function openEventPublisher(bus: Bus): Promise<EventPublisher> {
  const manager = await ensureEventStream(bus);
  const { sequence, position } = await lastOnBus(manager);
  const previous = await previousByPartition(manager);
  const failure = new AbortController();
  const fail: Fail = (reason) => {
    if (!failure.signal.aborted) failure.abort(new Error(`the event bus: ${reason}`));
  };
  const window = sendWindow(sequence, failure.signal);
  const inbox = createInbox();
  const subscription = bus.subscribe(inbox, {
    callback: (error, message) => (error ? fail(error.message) : takeAnswer(window, message, fail)),
  });
  const unwatch = watchConnection(bus, () => fail("disconnected"));
  // Also while nothing is published: a stream that was lost is filled again at once.
  const timer = setInterval(() => {
    checkStream(manager, window, fail).catch((error: unknown) => {
      if (isNotFound(error)) fail("the stream is gone");
    });
  }, checkIntervalMs);

  return {
    last: position,
    failed: failure.signal,
    publish(event, { partition, subject }) {
      failure.signal.throwIfAborted();
      const expected = headers();
      expected.append("Nats-Msg-Id", event.id);
      expected.append("Nats-Expected-Last-Sequence", String(window.sent()));
      const payload = encodeEnvelope({ ...event, previous: previous[partition] ?? null });
      bus.publish(subject, payload, { headers: expected, reply: inbox });
      previous[partition] = event.position;
      return window.send();
    },
    settled: window.settled,
    close() {
      clearInterval(timer);
      unwatch();
      subscription.unsubscribe();
      fail("closed");
    },
  };
}

/** Takes what the broker answers to a message: the sequence that it was stored at, or why it was not. */
function takeAnswer(window: SendWindow, message: Msg, fail: Fail): void {
  const answer =
    message.data.length === 0 ? undefined : message.json<{ seq?: number; error?: { description: string } }>();
  if (answer?.seq === window.acknowledged() + 1) window.acknowledge();
  else fail(answer?.error?.description ?? "a message arrived out of order");
}

/** Fails where the broker is silent, or where the stream is not what it was when the last message arrived. */
async function checkStream(manager: JetStreamManager, window: SendWindow, fail: Fail): Promise<void> {
  const before = window.acknowledged();
  if (window.sent() > before) {
    if (window.silentForMs() > silenceMs) fail("no answer");
    return;
  }
  const { state } = await manager.streams.info(eventStream);
  if (window.sent() !== before) return;
  if (state.last_seq !== before || (before > 0 && state.messages === 0)) fail("the stream changed");
}

async function lastOnBus(manager: JetStreamManager) {
  const last = await storedMessage(manager, eventStream, { last_by_subj: eventSubjects() });
  if (last) return { sequence: last.seq, position: decodeEnvelope(last.data).position };
  const { state } = await manager.streams.info(eventStream);
  return { sequence: state.last_seq, position: undefined };
}

async function previousByPartition(manager: JetStreamManager): Promise<(Position | null)[]> {
  const partitions = Array.from({ length: partitionCount }, (_, partition) => partition);
  return Promise.all(
    partitions.map(async (partition) => {
      const last = await storedMessage(manager, eventStream, { last_by_subj: eventSubjects(partition) });
      return last ? decodeEnvelope(last.data).position : null;
    }),
  );
}
