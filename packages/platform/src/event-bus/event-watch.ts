import { setTimeout as delay } from "node:timers/promises";
import { AckPolicy, createInbox, DeliverPolicy, type Msg } from "nats";
import type { Position, StoredEvent } from "../event-log/event-log.ts";
import { type Bus, watchConnection } from "../nats/bus.ts";
import { decodeEnvelope } from "./event-envelope.ts";
import { eventStream, eventStreamManager, isNotFound } from "./event-stream.ts";

/** Hears the events of one subject as they come to the bus. */
export interface EventWatch {
  /** Resolves once everything that was on the bus when the watch began has been taken. */
  readonly caughtUp: Promise<void>;
  /** Whether it hears the bus at this moment. */
  isLive(): boolean;
  close(): void;
}

const heartbeatMs = 500;
const retryMs = 250;
const millisecond = 1_000_000;

/**
 * Gives `take` each event of `subject` that came to the bus in the last `keepMs` or comes from now on: in the log's
 * order, each once. Where the bus, its stream or the place in it was lost it begins again, and leaves out what was
 * taken.
 *
 * @param subject one filter, which may have wildcards: `events.*.*.user.SessionsRevoked`
 */
export function watchEvents(
  bus: Bus,
  subject: string,
  keepMs: number,
  take: (event: StoredEvent) => void,
): EventWatch {
  const caughtUp = Promise.withResolvers<void>();
  const closing = new AbortController();
  let live = false;
  let taken: Position = -1n;

  const arrived = (message: Msg) => {
    const event = decodeEnvelope(message.data);
    if (event.position <= taken) return;
    taken = event.position;
    take(event);
  };

  /** Resolves never; rejects once anything may have been missed. */
  const listen = async () => {
    const lost = Promise.withResolvers<never>();
    lost.promise.catch(() => {});
    const inbox = createInbox();
    let received = 0;
    let until: number | undefined;
    let heardAt = Date.now();

    const progress = () => {
      if (until === undefined || received < until) return;
      live = true;
      caughtUp.resolve();
    };

    const heard = (message: Msg) => {
      heardAt = Date.now();
      if (message.headers && message.headers.code !== 0) {
        if (message.headers.code !== 100) return lost.reject(new Error(message.headers.description));
        // The broker asks whether we keep up, or says how far it is.
        if (message.reply) message.respond();
        const sent = message.headers.get("Nats-Last-Consumer");
        if (sent && Number(sent) !== received) lost.reject(new Error("a message was lost"));
        return;
      }
      received++;
      if (placeInDelivery(message) !== received) return lost.reject(new Error("a message was lost"));
      arrived(message);
      progress();
    };

    const subscription = bus.subscribe(inbox, {
      callback: (error, message) => (error ? lost.reject(error) : heard(message)),
    });
    const unwatch = watchConnection(bus, () => lost.reject(new Error("disconnected")));
    const timer = setInterval(() => {
      if (Date.now() - heardAt > 3 * heartbeatMs) lost.reject(new Error("no heartbeat"));
    }, heartbeatMs);
    closing.signal.addEventListener("abort", lost.reject, { once: true });
    try {
      const manager = await eventStreamManager(bus);
      const { delivered, num_pending } = await manager.consumers.add(eventStream, {
        deliver_subject: inbox,
        filter_subject: subject,
        deliver_policy: DeliverPolicy.StartTime,
        opt_start_time: new Date(Date.now() - keepMs).toISOString(),
        ack_policy: AckPolicy.None,
        max_deliver: 1,
        mem_storage: true,
        flow_control: true,
        idle_heartbeat: heartbeatMs * millisecond,
      });
      until = delivered.consumer_seq + num_pending;
      heardAt = Date.now();
      progress();
      await lost.promise;
    } finally {
      live = false;
      clearInterval(timer);
      unwatch();
      if (!bus.isClosed()) subscription.unsubscribe();
      closing.signal.removeEventListener("abort", lost.reject);
    }
  };

  (async () => {
    while (!closing.signal.aborted) {
      await listen().catch((error: unknown) => {
        // A bus without the stream has nothing that we could miss: its writer makes it.
        if (isNotFound(error)) caughtUp.resolve();
      });
      await delay(retryMs, undefined, { signal: closing.signal }).catch(() => {});
    }
  })();

  return {
    caughtUp: caughtUp.promise,
    isLive: () => live,
    close: () => closing.abort(new Error("closed")),
  };
}

/**
 * The number of a message among those that were sent to us. Its reply is
 * `$JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<tries>.<place in stream>.<number>.<time>.<pending>` (ADR-15).
 */
function placeInDelivery({ reply = "" }: Msg): number {
  const parts = reply.split(".");
  return Number(parts.length < 11 ? parts[6] : parts[8]);
}
