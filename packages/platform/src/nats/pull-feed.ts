import { createInbox, type Msg, nanos } from "nats";
import { within } from "../timing/within.ts";
import { type Bus, watchConnection } from "./bus.ts";

/** What a JetStream consumer has for us, pulled ahead of use. */
export interface PullFeed {
  /**
   * What has arrived, at most `max`; waits for the first, if need be for `patienceMs`. Rejects where the bus or the
   * consumer was lost, or `close` was called: open a new feed then.
   */
  next(max: number, patienceMs?: number): Promise<Msg[]>;
  /** What has arrived and was not taken. */
  arrived(): readonly Msg[];
  /** Ends it and gives what had arrived and was not taken. */
  close(): Msg[];
}

export interface PullOptions {
  /** How many messages are pulled ahead, at most. */
  readonly size: number;
  /** Silence of three times as long is a loss. */
  readonly heartbeatMs: number;
}

const expiresMs = 20_000;

/** Pulls from the consumer `consumer` of a JetStream stream, which has to be there. */
export function openPullFeed(
  bus: Bus,
  stream: string,
  consumer: string,
  { size, heartbeatMs }: PullOptions,
): PullFeed {
  const inbox = createInbox();
  let arrived: Msg[] = [];
  let requested = 0;
  let waiting: PromiseWithResolvers<void> | undefined;
  let failure: Error | undefined;
  let heardAt = Date.now();

  const fail = (reason: string) => {
    if (failure) return;
    failure = new Error(`the feed ${consumer} of ${stream}: ${reason}`);
    clearInterval(timer);
    subscription.unsubscribe();
    unwatch();
    waiting?.reject(failure);
  };

  const pull = () => {
    const wanted = size - requested - arrived.length;
    if (failure || wanted < size / 2) return;
    requested += wanted;
    bus.publish(
      `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`,
      JSON.stringify({
        batch: wanted,
        expires: nanos(expiresMs),
        idle_heartbeat: nanos(heartbeatMs),
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
    async next(max, patienceMs) {
      if (arrived.length === 0 && !failure) {
        waiting ??= Promise.withResolvers();
        await (patienceMs === undefined ? waiting.promise : within(patienceMs, waiting.promise, () => {}));
      }
      if (failure) throw failure;
      const taken = arrived.slice(0, max);
      arrived = arrived.slice(max);
      pull();
      return taken;
    },
    arrived: () => arrived,
    close() {
      fail("closed");
      return arrived.splice(0);
    },
  };
}
