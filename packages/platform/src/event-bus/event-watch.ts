import type { Position, StoredEvent } from "../event-log/event-log.ts";
import type { Bus } from "../nats/bus.ts";
import { isNotFound } from "../nats/jetstream.ts";
import { followPushed, type PushedHandler } from "../nats/push-feed.ts";
import { keepTrying } from "../timing/keep-trying.ts";
import { decodeEnvelope } from "./event-envelope.ts";
import { eventStream } from "./event-stream.ts";

/** Hears the events of one subject as they come to the bus. */
export interface EventWatch {
  /** Resolves once everything that was on the bus when the watch began has been taken. */
  readonly caughtUp: Promise<void>;
  /** Whether it hears the bus at this moment. */
  isLive(): boolean;
  close(): void;
}

const retryMs = 250;

/**
 * Gives `take` each event of `subject` that came to the bus in the last `keepMs` or comes from now on: in the log's
 * order, each once. Where the bus or its stream was lost it begins again, and leaves out what was taken.
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
  const { signal } = closing;
  let live = false;
  let taken: Position = -1n;

  const handler: PushedHandler = {
    take(message) {
      const event = decodeEnvelope(message.data);
      if (event.position <= taken) return;
      taken = event.position;
      take(event);
    },
    caughtUp() {
      live = true;
      caughtUp.resolve();
    },
  };
  const listen = async () => {
    try {
      const since = new Date(Date.now() - keepMs);
      await followPushed(bus, { stream: eventStream, subject, since }, handler, signal);
    } finally {
      live = false;
    }
  };
  keepTrying(listen, {
    signal,
    pauseMs: retryMs,
    failed(error) {
      // A bus without the stream has nothing that we could miss: its writer makes it.
      if (isNotFound(error)) caughtUp.resolve();
    },
  });

  return {
    caughtUp: caughtUp.promise,
    isLive: () => live,
    close: () => closing.abort(new Error("closed")),
  };
}
