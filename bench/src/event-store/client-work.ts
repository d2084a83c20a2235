/** What the client does in the storm `event-store`. */
import { randomBytes } from "node:crypto";
import {
  type BinaryEventType,
  binaryEvent,
  END,
  type EventStoreDBClient,
  START,
} from "@eventstore/db-client";

const EVENT_DATA = randomBytes(1024);

function newEvent() {
  return binaryEvent<BinaryEventType>({ type: "Measured", data: EVENT_DATA });
}

/** Appends of one event each, so many in flight, for so long. */
export async function appendFor(
  client: EventStoreDBClient,
  inFlight: number,
  milliseconds: number,
): Promise<{ perSecond: number; latencies: readonly number[] }> {
  const latencies: number[] = [];
  const start = performance.now();
  const end = start + milliseconds;
  const writer = async (n: number) => {
    for (let from = performance.now(); from < end; ) {
      await client.appendToStream(`measured-${n}`, newEvent());
      const now = performance.now();
      latencies.push(now - from);
      from = now;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, (_, n) => writer(n)));
  return { perSecond: (latencies.length / (performance.now() - start)) * 1000, latencies };
}

/** Appends `count` events, many at a time. */
export async function fill(client: EventStoreDBClient, count: number): Promise<void> {
  const APPENDS_IN_FLIGHT = 16;
  const EVENTS_PER_APPEND = 100;
  let left = count;
  const writer = async (n: number) => {
    while (left > 0) {
      const size = Math.min(left, EVENTS_PER_APPEND);
      left -= size;
      await client.appendToStream(`filling-${n}`, Array.from({ length: size }, newEvent));
    }
  };
  await Promise.all(Array.from({ length: APPENDS_IN_FLIGHT }, (_, n) => writer(n)));
}

/** Events per second until a new subscription to `$all` has got the first `count`. */
export async function catchUp(client: EventStoreDBClient, count: number): Promise<number> {
  const start = performance.now();
  const subscription = client.subscribeToAll({ fromPosition: START });
  let received = 0;
  await new Promise<void>((resolve, reject) => {
    subscription.on("error", reject).on("data", () => {
      if (++received === count) resolve();
    });
  });
  const seconds = (performance.now() - start) / 1000;
  await subscription.unsubscribe();
  return count / seconds;
}

/** Subscribes to what comes; resolves once the server has confirmed it. */
export async function subscribeIdly(client: EventStoreDBClient): Promise<void> {
  const subscription = client.subscribeToAll({ fromPosition: END });
  await new Promise((resolve, reject) => {
    subscription.once("confirmation", resolve);
    subscription.once("error", reject);
    subscription.resume();
  });
}

/** The position of the last event, which is how many there are. */
export async function countEvents(client: EventStoreDBClient): Promise<number> {
  for await (const { event } of client.readAll({ direction: "backwards", fromPosition: END, maxCount: 1 })) {
    return Number(event?.position?.commit ?? 0);
  }
  return 0;
}
