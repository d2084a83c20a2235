import { AckPolicy, createInbox, DeliverPolicy, type Msg, nanos } from "nats";
import { type Bus, watchConnection } from "./bus.ts";
import { deliveryInfo } from "./delivery.ts";
import { streamManager } from "./jetstream.ts";

/** Which messages of a stream. */
export interface PushedSelection {
  readonly stream: string;
  /** One filter, which may have wildcards. */
  readonly subject: string;
  /** Those that came to the stream at this time or later. */
  readonly since: Date;
}

/** What is done with messages as they come. */
export interface PushedHandler {
  take(message: Msg): void;
  /** Everything that was in the stream at the start has been taken. */
  caughtUp(): void;
}

const heartbeatMs = 500;

/**
 * Has a stream's messages sent to it in their order, each once, and acknowledges nothing. Never resolves; rejects when
 * `signal` aborts, and once anything may have been missed: begin again then.
 */
export async function followPushed(
  bus: Bus,
  { stream, subject, since }: PushedSelection,
  handler: PushedHandler,
  signal: AbortSignal,
): Promise<never> {
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => {});
  const inbox = createInbox();
  const order = inOrder(handler);
  let heardAt = Date.now();

  const subscription = bus.subscribe(inbox, {
    callback(error, message) {
      heardAt = Date.now();
      try {
        if (error) throw error;
        order.heard(message);
      } catch (problem) {
        lost.reject(problem);
      }
    },
  });
  const unwatch = watchConnection(bus, () => lost.reject(new Error("disconnected")));
  const timer = setInterval(() => {
    if (Date.now() - heardAt > 3 * heartbeatMs) lost.reject(new Error("no heartbeat"));
  }, heartbeatMs);
  signal.addEventListener("abort", lost.reject, { once: true });
  try {
    const manager = await streamManager(bus);
    const { delivered, num_pending } = await manager.consumers.add(stream, {
      deliver_subject: inbox,
      filter_subject: subject,
      deliver_policy: DeliverPolicy.StartTime,
      opt_start_time: since.toISOString(),
      ack_policy: AckPolicy.None,
      max_deliver: 1,
      mem_storage: true,
      flow_control: true,
      idle_heartbeat: nanos(heartbeatMs),
    });
    heardAt = Date.now();
    order.hasAtStart(delivered.consumer_seq + num_pending);
    return await lost.promise;
  } finally {
    clearInterval(timer);
    unwatch();
    if (!bus.isClosed()) subscription.unsubscribe();
    signal.removeEventListener("abort", lost.reject);
  }
}

/** Gives messages on and throws where one of them was missed. */
function inOrder({ take, caughtUp }: PushedHandler) {
  let received = 0;
  let atStart: number | undefined;

  const progress = () => {
    if (atStart !== undefined && received >= atStart) caughtUp();
  };

  /** The broker asks whether we keep up, or says how far it is. */
  const control = (message: Msg) => {
    if (message.headers?.code !== 100) throw new Error(message.headers?.description);
    if (message.reply) message.respond();
    const sent = message.headers.get("Nats-Last-Consumer");
    if (sent && Number(sent) !== received) throw new Error("a message was lost");
  };

  return {
    heard(message: Msg) {
      if (message.headers && message.headers.code !== 0) return control(message);
      received++;
      if (deliveryInfo(message).consumerSequence !== received) throw new Error("a message was lost");
      take(message);
      progress();
    },
    /** @param count how many messages there were when the broker began */
    hasAtStart(count: number) {
      atStart = count;
      progress();
    },
  };
}
