import {
  type Actor,
  CarillonError,
  type Category,
  commandIdOf,
  type Decider,
  type DomainEvent,
  type Instant,
  type StreamIds,
  type TenantId,
} from "@carillon/domain";
import type { CommandEnvelope, CommandEnvelopes, EventLog, Executed, Position } from "@carillon/platform";
import pMap from "p-map";

/** Called as an import goes on: what it is at, and how many of how many records are done. */
export type Progress = (phase: string, done: number, total: number) => void;

/** Names a record of the imported data, for people and for the ids of its commands. */
export type RecordName = readonly [kind: string, ...key: string[]];

/** Sends the commands of records in bulk. A record makes the same commands whenever it is sent. */
export interface BulkSender {
  readonly tenantId: TenantId;
  /** A command with the id and context that its record gives it. */
  envelope<Command>(record: RecordName, occurredAt: Instant, command: Command): CommandEnvelope<Command>;
  /** Carries out a record's envelopes on one stream. A refusal names the record. */
  send<Command, Event extends DomainEvent, State, Kind extends Category>(
    record: RecordName,
    decider: Decider<Command, Event, State, Kind>,
    id: StreamIds[Kind],
    envelopes: CommandEnvelopes<Command>,
  ): Promise<Executed<State>>;
  /** Runs `sendOne` for every item, many at once. The first that fails ends it. */
  each<Item>(phase: string, items: readonly Item[], sendOne: (item: Item) => Promise<unknown>): Promise<void>;
  /** How many events were added so far, and the last position that a command answered with. */
  tally(): { eventsAdded: number; position: Position };
}

/** How many commands are under way at once: enough that the log's flushes are shared. */
const inFlight = 256;

export async function createBulkSender(
  log: EventLog,
  tenantId: TenantId,
  actor: Actor,
  progress: Progress,
): Promise<BulkSender> {
  const before = (await log.head()) ?? -1n;
  let eventsAdded = 0;
  let position = 0n;
  return {
    tenantId,
    envelope(record, occurredAt, command) {
      const commandId = commandIdOf(tenantId, actor, ...record);
      return {
        command,
        context: { tenantId, actor, occurredAt, correlationId: commandId, causationId: null, commandId },
      };
    },
    async send(record, decider, id, envelopes) {
      const executed = await log
        .execute(decider, tenantId, id, envelopes, { expectNew: true })
        .catch((error: unknown) => {
          if (!(error instanceof CarillonError)) throw error;
          throw new CarillonError(error.code, `${record.join(" ")}: ${error.message}`, { cause: error });
        });
      // To an append that it has already, the log answers with the position where that stands.
      if (executed.position > before) eventsAdded += executed.added;
      if (executed.position > position) position = executed.position;
      return executed;
    },
    async each(phase, items, sendOne) {
      let done = 0;
      progress(phase, done, items.length);
      const sendAndCount = async (item: (typeof items)[number]) => {
        await sendOne(item);
        progress(phase, ++done, items.length);
      };
      await pMap(items, sendAndCount, { concurrency: inFlight });
    },
    tally: () => ({ eventsAdded, position }),
  };
}
