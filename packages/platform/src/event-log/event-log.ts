import {
  CarillonError,
  type Category,
  currentVersion,
  type Decider,
  type DomainEvent,
  type EventMetadata,
  eventIdOf,
  fold,
  type Instant,
  instantOf,
  readEvent,
  streamName,
  type TenantId,
} from "@carillon/domain";
import {
  CancelledError,
  DeadlineExceededError,
  EventStoreDBClient,
  excludeSystemEvents,
  jsonEvent,
  NO_STREAM,
  type ResolvedEvent,
  StreamNotFoundError,
  streamNameFilter,
  UnavailableError,
  WrongExpectedVersionError,
} from "@eventstore/db-client";
import { v7 as uuidV7 } from "uuid";

/** A place in the event log: every event has one, later events have greater ones. */
export type Position = bigint;

/** An event as it stands in the log, read into the newest shape of its type. */
export type RecordedEvent = DomainEvent & {
  readonly id: string;
  readonly stream: string;
  readonly revision: number;
  readonly position: Position;
  /** When the log wrote it. */
  readonly created: Instant;
  readonly metadata: EventMetadata;
};

/** An event as it stands in the log, not yet read: what a relay passes on. */
export interface StoredEvent {
  readonly id: string;
  readonly type: string;
  readonly stream: string;
  readonly revision: number;
  readonly position: Position;
  readonly created: Instant;
  readonly data: unknown;
  readonly metadata: unknown;
}

/** On whose behalf, when and in which chain of causes a command runs. */
export interface CommandContext {
  readonly tenantId: TenantId;
  readonly actor: string;
  readonly occurredAt: Instant;
  readonly correlationId: string;
  readonly causationId: string | null;
  /** A command that is sent again under its id makes the same event ids, which the log stores once. */
  readonly commandId: string;
}

/** A context for one command that somebody gives now. */
export const commandContext = (tenantId: TenantId, actor: string, occurredAt: Instant): CommandContext => {
  const commandId = uuidV7();
  return { tenantId, actor, occurredAt, correlationId: commandId, causationId: null, commandId };
};

/** A command with its context: one step of what `execute` does to a stream. */
export interface CommandEnvelope<Command> {
  readonly command: Command;
  readonly context: CommandContext;
}

/** A stream after a command: its state and its last event. */
export interface Executed<State> {
  readonly state: State;
  readonly stream: string;
  /** The revision of the stream's last event. */
  readonly revision: number;
  /** The position of the stream's last event: a query may ask for at least this. */
  readonly position: Position;
  /** How many events this call added; 0 where what was asked for was already so. */
  readonly added: number;
}

export interface ExecuteOptions<State> {
  /** Decide as if the stream did not exist, without reading it first: right where it mostly does not. */
  readonly expectNew?: boolean;
  /** Decide on what was loaded before, without reading it again: right where that was a moment ago. */
  readonly loaded?: Loaded<State>;
}

/** A stream as it stands: its state, and its last event if it has any. */
export interface Loaded<State> {
  readonly state: State;
  readonly last: { readonly revision: number; readonly position: Position } | undefined;
}

/** The typed event log. */
export interface EventLog {
  /** Folds the stream of one thing. A stream that does not exist has the decider's initial state. */
  load<State, Event extends DomainEvent>(
    decider: Decider<never, Event, State>,
    tenantId: TenantId,
    id: string,
  ): Promise<Loaded<State>>;
  /**
   * Decides the envelopes one after another and appends what they lead to in one write, which is on disk when this
   * returns. Decides again where somebody else wrote to the stream meanwhile. Throws `CarillonError` with the
   * refusal's code, `write_contended`, or `unavailable` (then nothing is known: send it again under the same command id).
   */
  execute<Command, Event extends DomainEvent, State>(
    decider: Decider<Command, Event, State>,
    id: string,
    envelopes: readonly [CommandEnvelope<Command>, ...CommandEnvelope<Command>[]],
    options?: ExecuteOptions<State>,
  ): Promise<Executed<State>>;
  /** The name of the one stream of a category that ends in `id`, of whatever tenant; undefined if there is none. Scans the log. */
  findStream(category: Category, id: string): Promise<string | undefined>;
  /** One stream's events from its first. Nothing for a stream that does not exist. */
  readStream(stream: string): AsyncIterable<RecordedEvent>;
  /** Every event after `after` in order, then each new one as it is written, until `signal` aborts. Reconnects by itself. */
  followAll(after: Position | undefined, signal: AbortSignal): AsyncIterable<StoredEvent>;
  /** Every event after `after` up to the end of the log as it is now. */
  readAll(after: Position | undefined): AsyncIterable<StoredEvent>;
  /** The position of the newest event of ours; undefined for an empty log. Rejects if the log does not answer. */
  head(): Promise<Position | undefined>;
  /** Cancels what is under way. */
  close(): void;
}

export interface EventLogOptions {
  /** How long a call goes on trying while the log cannot be reached, in milliseconds. */
  readonly patienceMs?: number;
}

const maxDecisions = 8;
const appendTimeoutMs = 10_000;
const reconnectDelayMs = 100;

/**
 * Connects to EventStoreDB, KurrentDB or the embedded node.
 *
 * @param url a connection string, `esdb://127.0.0.1:2113?tls=false`
 */
export function connectEventLog(url: string, { patienceMs = 10_000 }: EventLogOptions = {}): EventLog {
  let client = EventStoreDBClient.connectionString(url);
  let closed = false;

  /** A client whose connection broke can keep a failed handshake for good, so it is replaced, once per breakage. */
  const replace = (broken: EventStoreDBClient) => {
    if (client !== broken || closed) return;
    client = EventStoreDBClient.connectionString(url);
    broken.dispose().catch(() => {});
  };

  /** A client that is replaced ends what others were reading through it as if there were no more. */
  const assertWhole = (used: EventStoreDBClient) => {
    if (client !== used || closed) throw new ReadCut("a read was cut off");
  };

  /** Prepares for another try. Throws what is not the connection's fault, and `unavailable` when patience ends. */
  const surviveOrThrow = (error: unknown, used: EventStoreDBClient, deadline: number) => {
    if (!isTransport(error)) throw error;
    replace(used);
    if (closed || Date.now() >= deadline) {
      throw new CarillonError("unavailable", "The event log cannot be reached: try again.", { cause: error });
    }
  };

  /** Runs an idempotent call again until the log answers or patience ends. */
  const persist = async <Result>(call: (client: EventStoreDBClient) => Promise<Result>): Promise<Result> => {
    for (const deadline = Date.now() + patienceMs; ; await delay(reconnectDelayMs)) {
      const used = client;
      try {
        return await call(used);
      } catch (error) {
        surviveOrThrow(error, used, deadline);
      }
    }
  };

  const load: EventLog["load"] = (decider, tenantId, id) =>
    persist(async (connected) => {
      let state = decider.initial;
      let last: Loaded<unknown>["last"];
      for await (const event of readAsRecorded(connected, streamName(decider.category, tenantId, id), 0n)) {
        // A stream holds only its own category's events: the decider that wrote them is the one that reads them.
        state = decider.evolve(state, event as unknown as Parameters<typeof decider.evolve>[1]);
        last = { revision: event.revision, position: event.position };
      }
      assertWhole(connected);
      return { state, last };
    });

  const execute: EventLog["execute"] = async (decider, id, envelopes, options = {}) => {
    const { tenantId } = envelopes[0].context;
    const stream = streamName(decider.category, tenantId, id);
    let given = options.expectNew ? { state: decider.initial, last: undefined } : options.loaded;
    let loaded = given ?? (await load(decider, tenantId, id));
    for (let attempt = 1; ; attempt++) {
      const { state, last } = loaded;
      const { events, state: after } = decideAll(decider, envelopes, state);
      if (events.length === 0 && last) return { state: after, stream, ...last, added: 0 };
      if (events.length === 0) {
        if (!given) throw new Error(`a command on the empty stream ${stream} led to nothing`);
        loaded = await load(decider, tenantId, id);
        given = undefined;
        continue;
      }
      try {
        let tries = 0;
        const { nextExpectedRevision, position } = await persist((connected) => {
          tries++;
          return withTimeout(
            connected.appendToStream(stream, events, {
              expectedRevision: last ? BigInt(last.revision) : NO_STREAM,
            }),
          );
        });
        if (tries > 1) {
          // An earlier try may have been stored, and others may have written since: the stream says where it stands.
          const now = await load(decider, tenantId, id);
          if (now.last) return { state: now.state, stream, ...now.last, added: events.length };
        }
        if (!position) throw new Error(`the log answered an append to ${stream} without a position`);
        return {
          state: after,
          stream,
          revision: Number(nextExpectedRevision),
          position: position.commit,
          added: events.length,
        };
      } catch (error) {
        if (!(error instanceof WrongExpectedVersionError)) throw error;
        if (attempt === maxDecisions) {
          throw new CarillonError("write_contended", "Too many wrote to this at once: try again.", {
            cause: error,
          });
        }
        loaded = await load(decider, tenantId, id);
      }
    }
  };

  /** Goes on behind the last event that it gave, so that a broken connection is not seen. */
  async function* readStream(stream: string): AsyncGenerator<RecordedEvent> {
    let next = 0n;
    for (let deadline = Date.now() + patienceMs; ; await delay(reconnectDelayMs)) {
      const used = client;
      try {
        for await (const event of readAsRecorded(used, stream, next)) {
          yield event;
          next = BigInt(event.revision) + 1n;
          deadline = Date.now() + patienceMs;
        }
        assertWhole(used);
        return;
      } catch (error) {
        surviveOrThrow(error, used, deadline);
      }
    }
  }

  async function* followAll(after: Position | undefined, signal: AbortSignal): AsyncGenerator<StoredEvent> {
    let last = after;
    while (!signal.aborted && !closed) {
      const used = client;
      const subscription = used.subscribeToAll({
        fromPosition: last === undefined ? "start" : { commit: last, prepare: last },
        filter: excludeSystemEvents(),
      });
      const stop = () => subscription.unsubscribe().catch(() => {});
      signal.addEventListener("abort", stop, { once: true });
      try {
        for await (const resolved of subscription) {
          const event = asStored(resolved as ResolvedEvent);
          if (!event) continue;
          yield event;
          last = event.position;
          if (signal.aborted) return;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!isTransport(error)) throw error;
        replace(used);
      } finally {
        signal.removeEventListener("abort", stop);
        await stop();
      }
      if (!signal.aborted) await delay(reconnectDelayMs);
    }
  }

  async function* readAll(after: Position | undefined): AsyncGenerator<StoredEvent> {
    const used = client;
    const events = used.readAll({
      fromPosition: after === undefined ? "start" : { commit: after, prepare: after },
      maxCount: Number.MAX_SAFE_INTEGER,
    });
    try {
      for await (const resolved of events) {
        const event = asStored(resolved as ResolvedEvent);
        // Unlike a subscription, a read cannot leave out the log's own events, and begins at the position itself.
        if (!event || event.type.startsWith("$") || (after !== undefined && event.position <= after))
          continue;
        yield event;
      }
      assertWhole(used);
    } finally {
      await events.cancel();
    }
  }

  const findStream: EventLog["findStream"] = (category, id) =>
    persist((connected) => {
      const subscription = connected.subscribeToAll({
        fromPosition: "start",
        filter: streamNameFilter({ regex: `^${category}-[0-9a-f-]{36}_${id}$` }),
      });
      return new Promise<string | undefined>((resolve, reject) => {
        subscription.on("data", ({ event }) => resolve(event?.streamId));
        subscription.on("caughtUp", () => resolve(undefined));
        subscription.on("error", reject);
      }).finally(() => subscription.unsubscribe());
    });

  return {
    load,
    execute,
    findStream,
    followAll,
    readAll,
    readStream,
    head: () =>
      persist(async (connected) => {
        const newestFirst = connected.readAll({ direction: "backwards", fromPosition: "end" });
        try {
          for await (const resolved of newestFirst) {
            const event = asStored(resolved as ResolvedEvent);
            if (event && !event.type.startsWith("$")) return event.position;
          }
          return undefined;
        } finally {
          // Leaving the loop closes our end only: the server would go on sending.
          await newestFirst.cancel();
        }
      }),
    close() {
      closed = true;
      // Every call is cancelled when this returns. The client's promise waits for their ends, some of which never come.
      client.dispose().catch(() => {});
    },
  };
}

/** Reads a stored event into the newest shape of its type. Throws `UnreadableEvent`. */
export function readStored(stored: StoredEvent): RecordedEvent {
  const { id, stream, revision, position, created } = stored;
  return { ...readEvent(stored.type, stored.data, stored.metadata), id, stream, revision, position, created };
}

function decideAll<Command, Event extends DomainEvent, State>(
  decider: Decider<Command, Event, State>,
  envelopes: readonly CommandEnvelope<Command>[],
  initial: State,
) {
  let state = initial;
  const events = [];
  for (const { command, context } of envelopes) {
    const decision = decider.decide(command, state);
    if (!decision.accepted) throw new CarillonError(decision.refusal.code, decision.refusal.message);
    state = fold(decider, state, decision.events);
    const { commandId, ...about } = context;
    events.push(
      ...decision.events.map(({ type, data }, index) =>
        jsonEvent({
          id: eventIdOf(commandId, index),
          type,
          data: data as Record<string, unknown>,
          metadata: { ...about, schema: currentVersion(type) } satisfies EventMetadata,
        }),
      ),
    );
  }
  return { events, state };
}

async function* readAsRecorded(
  client: EventStoreDBClient,
  stream: string,
  fromRevision: bigint,
): AsyncGenerator<RecordedEvent> {
  const events = client.readStream(stream, { fromRevision });
  try {
    for await (const resolved of events) {
      const stored = asStored(resolved as ResolvedEvent);
      if (stored) yield readStored(stored);
    }
  } catch (error) {
    if (!(error instanceof StreamNotFoundError)) throw error;
  } finally {
    await events.cancel();
  }
}

function asStored({ event, commitPosition }: ResolvedEvent): StoredEvent | undefined {
  if (!event) return undefined;
  const position = event.position?.commit ?? commitPosition;
  if (position === undefined) throw new Error(`the log sent event ${event.id} without a position`);
  return {
    id: event.id,
    type: event.type,
    stream: event.streamId,
    revision: Number(event.revision),
    position,
    created: instantOf(event.created),
    data: event.data,
    metadata: event.metadata,
  };
}

class AppendTimeout extends Error {}

class ReadCut extends Error {}

/** The statuses of gRPC that say that the answer is missing, not that there was a wrong question: CANCELLED, DEADLINE_EXCEEDED, UNAVAILABLE. */
const transportStatuses: readonly unknown[] = [1, 4, 14];

const isTransport = (error: unknown) =>
  error instanceof UnavailableError ||
  error instanceof CancelledError ||
  error instanceof DeadlineExceededError ||
  error instanceof AppendTimeout ||
  error instanceof ReadCut ||
  // The client's handshake fails with gRPC's own error.
  (error instanceof Error && "code" in error && transportStatuses.includes(error.code));

/** The client waits for ever for an append whose connection ended without an error; we do not. */
async function withTimeout<Result>(append: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new AppendTimeout("no answer to an append")), appendTimeoutMs);
  });
  try {
    return await Promise.race([append, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

const delay = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
