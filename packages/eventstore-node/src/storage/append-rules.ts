/**
 * What an append may do, decided from the stream's state alone. The rules are those of EventStoreDB 23.10's
 * index writer: ids decide, never bodies.
 */

/** The revision that the writer expects its stream to be at; numbers are revisions. */
export type ExpectedRevision = "any" | "no_stream" | "stream_exists" | number;

/** Where an earlier event stands. */
export interface Slot {
  readonly revision: number;
  readonly position: number;
}

/** What the rules need to know about the stream that is written. */
export interface StreamState {
  /** The last revision, or -1 for a stream without events. */
  readonly last: number;
  readonly tombstoned: boolean;
  /** Deleted, but open for new events, which continue its revisions. */
  readonly softDeleted: boolean;
  readonly hasMetadata: boolean;
  /** The event at a revision up to `last`. */
  readonly eventAt: (revision: number) => { readonly id: string; readonly position: number } | undefined;
  /** The slot in this stream that a recently written event id took. */
  readonly recent: (id: string) => Slot | undefined;
}

/** What to do with an append. */
export type AppendDecision =
  | { readonly kind: "append"; readonly recreates: boolean }
  | { readonly kind: "already"; readonly slot: Slot }
  | { readonly kind: "wrong-version"; readonly current: number }
  | { readonly kind: "deleted" };

const REFUSE_DELETED: AppendDecision = { kind: "deleted" };

/** Decides an append of events with these `ids`, in order. */
export function decideAppend(
  expected: ExpectedRevision,
  ids: readonly string[],
  stream: StreamState,
): AppendDecision {
  if (stream.tombstoned) return REFUSE_DELETED;
  if (expected === "stream_exists") {
    if (stream.softDeleted) return REFUSE_DELETED;
    if (stream.last < 0 && !stream.hasMetadata) return wrongVersion(stream);
  }
  if (expected === "any" || expected === "stream_exists") return decideByRecentIds(ids, stream);
  const expectedRevision = expected === "no_stream" ? -1 : expected;
  if (expectedRevision < stream.last) return decideBySlots(expectedRevision, ids, stream);
  return expectedRevision > stream.last ? wrongVersion(stream) : append(stream);
}

function decideByRecentIds(ids: readonly string[], stream: StreamState): AppendDecision {
  let slot: Slot | undefined;
  for (const id of ids) {
    const found = stream.recent(id);
    if (found === undefined) return slot === undefined ? append(stream) : wrongVersion(stream);
    slot = found;
  }
  return slot === undefined ? append(stream) : { kind: "already", slot };
}

function decideBySlots(
  expectedRevision: number,
  ids: readonly string[],
  stream: StreamState,
): AppendDecision {
  let slot: Slot | undefined;
  for (const id of ids) {
    const revision: number = (slot?.revision ?? expectedRevision) + 1;
    const found = stream.eventAt(revision);
    if (found?.id !== id) {
      const startsAnew = slot === undefined && expectedRevision === -1 && stream.softDeleted;
      return startsAnew ? append(stream) : wrongVersion(stream);
    }
    slot = { revision, position: found.position };
  }
  return slot === undefined ? wrongVersion(stream) : { kind: "already", slot };
}

function append(stream: StreamState): AppendDecision {
  return { kind: "append", recreates: stream.softDeleted };
}

function wrongVersion(stream: StreamState): AppendDecision {
  return { kind: "wrong-version", current: stream.last };
}
