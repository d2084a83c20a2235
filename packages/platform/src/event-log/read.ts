import { setTimeout as delay } from "node:timers/promises";
import {
  type Category,
  type Decider,
  type DomainEvent,
  type StreamIds,
  streamName,
  type TenantId,
} from "@carillon/domain";
import {
  type EventStoreDBClient,
  type ResolvedEvent,
  StreamNotFoundError,
  streamNameFilter,
} from "@eventstore/db-client";
import { type LogConnection, reconnectDelayMs } from "./connection.ts";
import { type Position, type RecordedEvent, readStored, type StoredEvent, storedEvent } from "./events.ts";

/** A stream as it stands: its state, and its last event if it has any. */
export interface Loaded<State> {
  readonly state: State;
  readonly last: { readonly revision: number; readonly position: Position } | undefined;
}

/** Folds the stream of one thing. */
export const load = <Event extends DomainEvent, State, Kind extends Category>(
  connection: LogConnection,
  decider: Decider<never, Event, State, Kind>,
  tenantId: TenantId,
  id: StreamIds[Kind],
): Promise<Loaded<State>> =>
  connection.persist(async (client) => {
    let state = decider.initial;
    let last: Loaded<State>["last"];
    for await (const event of recordedEvents(client, streamName(decider.category, tenantId, id), 0n)) {
      // A stream holds only its own category's events: the decider that wrote them is the one that reads them.
      state = decider.evolve(state, event as unknown as Event);
      last = { revision: event.revision, position: event.position };
    }
    connection.assertWhole(client);
    return { state, last };
  });

/** One stream's events from its first. Goes on behind the last event that it gave, so that a broken connection is not seen. */
export async function* readStream(connection: LogConnection, stream: string): AsyncGenerator<RecordedEvent> {
  let next = 0n;
  for (let deadline = Date.now() + connection.patienceMs; ; await delay(reconnectDelayMs)) {
    const used = connection.client;
    try {
      for await (const event of recordedEvents(used, stream, next)) {
        yield event;
        next = BigInt(event.revision) + 1n;
        deadline = Date.now() + connection.patienceMs;
      }
      connection.assertWhole(used);
      return;
    } catch (error) {
      connection.recoverUntil(deadline, error, used);
    }
  }
}

/** Every event after `after` up to the end of the log as it is now. */
export async function* readAll(
  connection: LogConnection,
  after: Position | undefined,
): AsyncGenerator<StoredEvent> {
  const used = connection.client;
  const events = used.readAll({
    fromPosition: after === undefined ? "start" : { commit: after, prepare: after },
    maxCount: Number.MAX_SAFE_INTEGER,
  });
  try {
    for await (const resolved of events) {
      const event = storedEvent(resolved as ResolvedEvent);
      // Unlike a subscription, a read cannot leave out the log's own events, and begins at the position itself.
      if (!event || isOfTheLog(event) || (after !== undefined && event.position <= after)) continue;
      yield event;
    }
    connection.assertWhole(used);
  } finally {
    await events.cancel();
  }
}

/** The position of the newest event of ours; undefined for an empty log. */
export const head = (connection: LogConnection): Promise<Position | undefined> =>
  connection.persist(async (client) => {
    const newestFirst = client.readAll({ direction: "backwards", fromPosition: "end" });
    try {
      for await (const resolved of newestFirst) {
        const event = storedEvent(resolved as ResolvedEvent);
        if (event && !isOfTheLog(event)) return event.position;
      }
      return undefined;
    } finally {
      // Leaving the loop closes our end only: the server would go on sending.
      await newestFirst.cancel();
    }
  });

/** The name of the one stream of a category that ends in `id`, of whatever tenant; undefined if there is none. */
export const findStream = (
  connection: LogConnection,
  category: Category,
  id: string,
): Promise<string | undefined> =>
  connection.persist((client) => {
    const subscription = client.subscribeToAll({
      fromPosition: "start",
      filter: streamNameFilter({ regex: `^${category}-[0-9a-f-]{36}_${id}$` }),
    });
    return new Promise<string | undefined>((resolve, reject) => {
      subscription.on("data", ({ event }) => resolve(event?.streamId));
      subscription.on("caughtUp", () => resolve(undefined));
      subscription.on("error", reject);
    }).finally(() => subscription.unsubscribe());
  });

const isOfTheLog = ({ type }: StoredEvent) => type.startsWith("$");

async function* recordedEvents(
  client: EventStoreDBClient,
  stream: string,
  fromRevision: bigint,
): AsyncGenerator<RecordedEvent> {
  const events = client.readStream(stream, { fromRevision });
  try {
    for await (const resolved of events) {
      const stored = storedEvent(resolved as ResolvedEvent);
      if (stored) yield readStored(stored);
    }
  } catch (error) {
    if (!(error instanceof StreamNotFoundError)) throw error;
  } finally {
    await events.cancel();
  }
}
