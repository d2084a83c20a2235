import { setTimeout as delay } from "node:timers/promises";
import { excludeSystemEvents, type ResolvedEvent } from "@eventstore/db-client";
import { type LogConnection, reconnectDelayMs } from "./connection.ts";
import { type Position, type StoredEvent, storedEvent } from "./events.ts";

/** Every event after `after` in order, then each new one as it is written, until `signal` aborts. Reconnects by itself. */
export async function* followAll(
  connection: LogConnection,
  after: Position | undefined,
  signal: AbortSignal,
): AsyncGenerator<StoredEvent> {
  let last = after;
  while (!signal.aborted && !connection.closed) {
    const used = connection.client;
    const subscription = used.subscribeToAll({
      fromPosition: last === undefined ? "start" : { commit: last, prepare: last },
      filter: excludeSystemEvents(),
    });
    const stop = () => subscription.unsubscribe().catch(() => {});
    signal.addEventListener("abort", stop, { once: true });
    try {
      for await (const resolved of subscription) {
        const event = storedEvent(resolved as ResolvedEvent);
        if (!event) continue;
        yield event;
        last = event.position;
        if (signal.aborted) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      connection.recover(error, used);
    } finally {
      signal.removeEventListener("abort", stop);
      await stop();
    }
    if (!signal.aborted) await delay(reconnectDelayMs);
  }
}
