import { type DomainEvent, type EventMetadata, type Instant, instantOf, readEvent } from "@carillon/domain";
import type { ResolvedEvent } from "@eventstore/db-client";

/** Where an event stands in the event log: every event has a position, later events have greater ones. */
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

/** Reads a stored event into the newest shape of its type. Throws `UnreadableEvent`. */
export function readStored(stored: StoredEvent): RecordedEvent {
  const { id, stream, revision, position, created } = stored;
  return { ...readEvent(stored.type, stored.data, stored.metadata), id, stream, revision, position, created };
}

/** An event as the log's client gives it; undefined for a link whose event was deleted. */
export function storedEvent({ event, commitPosition }: ResolvedEvent): StoredEvent | undefined {
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
