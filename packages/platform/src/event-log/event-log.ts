import type { Category, Decider, DomainEvent, StreamIds, TenantId } from "@carillon/domain";
import type { CommandEnvelopes, EnvelopesByFacts } from "./command-envelope.ts";
import { openConnection } from "./connection.ts";
import type { Position, RecordedEvent, StoredEvent } from "./events.ts";
import { type Executed, type ExecuteOptions, execute } from "./execute.ts";
import { followAll } from "./follow.ts";
import { findStream, head, type Loaded, load, readAll, readStream } from "./read.ts";

export * from "./command-envelope.ts";
export * from "./events.ts";
export type { Executed, ExecuteOptions } from "./execute.ts";
export type { Loaded } from "./read.ts";

/** The typed event log. */
export interface EventLog {
  /** Folds the stream of one thing. A stream that does not exist has the decider's initial state. */
  load<State, Event extends DomainEvent, Kind extends Category>(
    decider: Decider<never, Event, State, Kind>,
    tenantId: TenantId,
    id: StreamIds[Kind],
  ): Promise<Loaded<State>>;
  /**
   * Decides the commands one after another and appends what they lead to in one write, which is on disk when this
   * returns. Decides again where somebody else wrote to the stream meanwhile, and, before it refuses what was decided by
   * recent facts or without reading the stream, by the newest facts and the stream as it stands. Throws `CarillonError`
   * with the refusal's code, `write_contended`, or `unavailable` (then nothing is known: send it again under the same
   * command id).
   */
  execute<Command, Event extends DomainEvent, State, Kind extends Category>(
    decider: Decider<Command, Event, State, Kind>,
    tenantId: TenantId,
    id: StreamIds[Kind],
    commands: CommandEnvelopes<Command> | EnvelopesByFacts<Command>,
    options?: ExecuteOptions<State, Event>,
  ): Promise<Executed<State, Event>>;
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

/**
 * Connects to EventStoreDB, KurrentDB or the embedded node.
 *
 * @param url a connection string, `esdb://127.0.0.1:2113?tls=false`
 */
export function connectEventLog(url: string, { patienceMs = 10_000 }: EventLogOptions = {}): EventLog {
  const connection = openConnection(url, patienceMs);
  return {
    load: (decider, tenantId, id) => load(connection, decider, tenantId, id),
    execute: (decider, tenantId, id, commands, options = {}) =>
      execute(connection, decider, tenantId, id, commands, options),
    findStream: (category, id) => findStream(connection, category, id),
    readStream: (stream) => readStream(connection, stream),
    followAll: (after, signal) => followAll(connection, after, signal),
    readAll: (after) => readAll(connection, after),
    head: () => head(connection),
    close: () => connection.close(),
  };
}
