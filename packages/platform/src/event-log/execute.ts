import {
  CarillonError,
  type Category,
  currentVersion,
  type Decider,
  type DomainEvent,
  type EventMetadata,
  eventIdOf,
  fold,
  type Refusal,
  type StreamIds,
  streamName,
  type TenantId,
} from "@carillon/domain";
import { jsonEvent, NO_STREAM, WrongExpectedVersionError } from "@eventstore/db-client";
import { within } from "../timing/within.ts";
import type { CommandContext, CommandEnvelopes, EnvelopesByFacts } from "./command-envelope.ts";
import { AppendTimeout, type LogConnection } from "./connection.ts";
import type { Position } from "./events.ts";
import { type Loaded, load } from "./read.ts";

/** A stream after a command: its state and its last event. */
export interface Executed<State, Event extends DomainEvent = DomainEvent> {
  readonly state: State;
  readonly stream: string;
  /** The revision of the stream's last event. */
  readonly revision: number;
  /** The position of the stream's last event: a query may ask for at least this. */
  readonly position: Position;
  /** What this call added to the stream; nothing where what was asked for was already so. */
  readonly events: readonly Event[];
  /** How many events these are. */
  readonly added: number;
}

export interface ExecuteOptions<State, Event extends DomainEvent = DomainEvent> {
  /** Decide as if the stream did not exist, without reading it first: right where it mostly does not. */
  readonly expectNew?: boolean;
  /** Decide on what was loaded before, without reading it again: right where that was a moment ago. */
  readonly loaded?: Loaded<State>;
  /**
   * Awaited before what was decided is appended, again if it is decided again: for what has to be stored before the
   * event that says so. Where it rejects, nothing is appended.
   */
  readonly beforeAppend?: (events: readonly Event[]) => Promise<unknown>;
}

const maxConflicts = 8;
const appendTimeoutMs = 10_000;

/** By what a decision is made. */
interface Basis<Command, State> {
  readonly envelopes: CommandEnvelopes<Command>;
  readonly loaded: Loaded<State>;
  /** False where something newer may be read: nobody is refused by that. */
  readonly isNewest: boolean;
}

/** See `EventLog.execute`. */
export async function execute<Command, Event extends DomainEvent, State, Kind extends Category>(
  connection: LogConnection,
  decider: Decider<Command, Event, State, Kind>,
  tenantId: TenantId,
  id: StreamIds[Kind],
  commands: CommandEnvelopes<Command> | EnvelopesByFacts<Command>,
  options: ExecuteOptions<State, Event>,
): Promise<Executed<State, Event>> {
  const stream = streamName(decider.category, tenantId, id);
  const read = () => load(connection, decider, tenantId, id);
  let basis = await firstBasis(decider, commands, options, read);
  for (let conflicts = 0; ; ) {
    const { envelopes, loaded } = basis;
    const decided = decideAll(decider, tenantId, envelopes, loaded.state);
    const { events, state, refusal } = decided;
    if (!basis.isNewest && (refusal || (events.length === 0 && !loaded.last))) {
      basis = await newestBasis(commands, read);
      continue;
    }
    if (refusal) throw new CarillonError(refusal.code, refusal.message);
    if (events.length === 0) {
      if (!loaded.last) throw new Error(`a command on the empty stream ${stream} led to nothing`);
      return { state, stream, ...loaded.last, events, added: 0 };
    }
    await options.beforeAppend?.(events);
    try {
      const appended = await append(connection, stream, decided.stored, loaded.last?.revision);
      // An earlier try may have been stored, and others may have written since: the stream says where it stands.
      const now = appended ? { state, last: appended } : await read();
      if (!now.last) throw new Error(`the log took an append to ${stream} and does not have it`);
      return { state: now.state, stream, ...now.last, events, added: events.length };
    } catch (error) {
      if (!(error instanceof WrongExpectedVersionError)) throw error;
      if (++conflicts === maxConflicts) throw contended(error);
      basis = { ...basis, loaded: await read() };
    }
  }
}

async function firstBasis<Command, Event extends DomainEvent, State>(
  { initial }: { readonly initial: State },
  commands: CommandEnvelopes<Command> | EnvelopesByFacts<Command>,
  { expectNew, loaded }: ExecuteOptions<State, Event>,
  read: () => Promise<Loaded<State>>,
): Promise<Basis<Command, State>> {
  const assumed = expectNew ? { state: initial, last: undefined } : loaded;
  const byFacts = "recent" in commands;
  return {
    envelopes: byFacts ? await commands.recent() : commands,
    loaded: assumed ?? (await read()),
    isNewest: !byFacts && assumed === undefined,
  };
}

async function newestBasis<Command, State>(
  commands: CommandEnvelopes<Command> | EnvelopesByFacts<Command>,
  read: () => Promise<Loaded<State>>,
): Promise<Basis<Command, State>> {
  const newest = "newest" in commands ? commands.newest() : commands;
  const [envelopes, loaded] = await Promise.all([newest, read()]);
  return { envelopes, loaded, isNewest: true };
}

interface Decided<State, Event> {
  readonly state: State;
  readonly events: readonly Event[];
  /** The events as they are written. */
  readonly stored: readonly StoredForm[];
  readonly refusal?: Refusal;
}

type StoredForm = ReturnType<typeof jsonEvent>;

/** Decides one command after another, each on what those before lead to. A refusal of one refuses all. */
function decideAll<Command, Event extends DomainEvent, State>(
  decider: Decider<Command, Event, State>,
  tenantId: TenantId,
  envelopes: CommandEnvelopes<Command>,
  initial: State,
): Decided<State, Event> {
  let state = initial;
  const events: Event[] = [];
  const stored: StoredForm[] = [];
  for (const { command, context } of envelopes) {
    if (context.tenantId !== tenantId)
      throw new Error("a command of one tenant is meant for another's stream");
    const decision = decider.decide(command, state);
    if (!decision.accepted) return { state: initial, events: [], stored: [], refusal: decision.refusal };
    state = fold(decider, state, decision.events);
    events.push(...decision.events);
    stored.push(...decision.events.map((event, index) => storedForm(event, context, index)));
  }
  return { state, events, stored };
}

function storedForm({ type, data }: DomainEvent, context: CommandContext, index: number): StoredForm {
  const { commandId, ...labels } = context;
  return jsonEvent({
    id: eventIdOf(commandId, index),
    type,
    data: data as Record<string, unknown>,
    metadata: { ...labels, schema: currentVersion(type) } satisfies EventMetadata,
  });
}

/** Where the stream stands after the append; undefined where it took several tries and may stand elsewhere by now. */
async function append(
  connection: LogConnection,
  stream: string,
  events: readonly StoredForm[],
  lastRevision: number | undefined,
): Promise<Loaded<unknown>["last"]> {
  const expectedRevision = lastRevision === undefined ? NO_STREAM : BigInt(lastRevision);
  let tries = 0;
  const { nextExpectedRevision, position } = await connection.persist((client) => {
    tries++;
    const appending = client.appendToStream(stream, [...events], { expectedRevision });
    // The client waits for ever for an append whose connection ended without an error; we do not.
    return within(appendTimeoutMs, appending, noAnswer);
  });
  if (tries > 1) return undefined;
  if (!position) throw new Error(`the log answered an append to ${stream} without a position`);
  return { revision: Number(nextExpectedRevision), position: position.commit };
}

const noAnswer = (): never => {
  throw new AppendTimeout("no answer to an append");
};

const contended = (cause: WrongExpectedVersionError) =>
  new CarillonError("write_contended", "Too many wrote to this at once: try again.", { cause });
