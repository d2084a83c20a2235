import { type AppendDecision, decideAppend, type ExpectedRevision, type Slot } from "./append-rules.ts";
import { recordAt } from "./log-reader.ts";
import type { RecentIds } from "./recent-ids.ts";
import { encodeRecord, recordData, recordId, TOMBSTONE_REVISION } from "./record.ts";
import {
  decodeHead,
  decodePosition,
  encodeHead,
  encodePosition,
  NEW_STREAM,
  type Store,
  type StreamHead,
} from "./store.ts";
import {
  describedBy,
  isSoftDeleted,
  metastreamOf,
  recreatedFrom,
  retentionOf,
  SOFT_DELETE_DATA,
} from "./stream-metadata.ts";

/** An event as a writer proposes it. */
export interface ProposedEvent {
  /** 36 characters, lower case. */
  readonly id: string;
  readonly type: string;
  readonly isJson: boolean;
  readonly metadata: Uint8Array;
  readonly data: Uint8Array;
}

/** How a write ended, once it is on disk. */
export type WriteResult =
  | { readonly kind: "written"; readonly slot: Slot | undefined; readonly last: number }
  | Extract<AppendDecision, { kind: "wrong-version" | "deleted" }>;

interface BatchedStream {
  readonly stored: StreamHead;
  head: StreamHead;
  /** The first revision that is written here, and the positions from there on. */
  readonly from: number;
  readonly positions: number[];
}

const NO_BYTES = new Uint8Array();

/** One group of writes: decided in order, each seeing the ones before it, and committed in one transaction. */
export class WriteBatch {
  readonly #store: Store;
  readonly #recentIds: RecentIds;
  readonly #committed: number;
  readonly #createdAt: number;
  readonly #newId: () => string;
  readonly #records: Buffer[] = [];
  readonly #streams = new Map<string, BatchedStream>();
  #lastStreamNumber: number;

  constructor(
    store: Store,
    recentIds: RecentIds,
    last: { readonly position: number; readonly streamNumber: number },
    createdAt: number,
    newId: () => string,
  ) {
    this.#store = store;
    this.#recentIds = recentIds;
    this.#committed = last.position;
    this.#lastStreamNumber = last.streamNumber;
    this.#createdAt = createdAt;
    this.#newId = newId;
  }

  /** The last position and stream number with this group's writes. */
  get last(): { position: number; streamNumber: number } {
    return { position: this.#committed + this.#records.length, streamNumber: this.#lastStreamNumber };
  }

  append(name: string, expected: ExpectedRevision, events: readonly ProposedEvent[]): WriteResult {
    const stream = this.#stream(name);
    const decision = this.#decide(
      name,
      stream,
      expected,
      events.map((event) => event.id),
    );
    if (decision.kind === "already") {
      return { kind: "written", slot: decision.slot, last: decision.slot.revision };
    }
    if (decision.kind !== "append") return decision;
    if (events.length === 0) return { kind: "written", slot: undefined, last: stream.head.last };
    const described = describedBy(name);
    const recreatesDescribed =
      described !== undefined && this.#isSoftDeleted(this.#stream(described).head, described);
    const firstRevision = stream.head.last + 1;
    for (const event of events) this.#write(name, stream, event);
    const slot = { revision: stream.head.last, position: this.last.position };
    if (decision.recreates) this.#recreate(name, firstRevision);
    if (recreatesDescribed) this.#recreate(described, this.#stream(described).head.last + 1);
    return { kind: "written", slot, last: slot.revision };
  }

  softDelete(name: string, expected: ExpectedRevision): WriteResult {
    const stream = this.#stream(name);
    const decision = this.#decide(name, stream, expected, [this.#newId()]);
    if (decision.kind === "wrong-version" || decision.kind === "deleted") return decision;
    this.#writeMetadata(name, SOFT_DELETE_DATA);
    return {
      kind: "written",
      slot: { revision: stream.head.last, position: this.last.position },
      last: stream.head.last,
    };
  }

  tombstone(name: string, expected: ExpectedRevision): WriteResult {
    const stream = this.#stream(name);
    const decision = this.#decide(name, stream, expected, [this.#newId()]);
    if (decision.kind === "wrong-version" || decision.kind === "deleted") return decision;
    stream.head = { ...stream.head, tombstoned: true };
    this.#records.push(
      encodeRecord({
        id: this.#newId(),
        stream: name,
        revision: TOMBSTONE_REVISION,
        position: this.last.position + 1,
        type: "$streamDeleted",
        isJson: false,
        createdAt: this.#createdAt,
        metadata: NO_BYTES,
        data: NO_BYTES,
      }),
    );
    return {
      kind: "written",
      slot: { revision: stream.head.last, position: this.last.position },
      last: stream.head.last,
    };
  }

  /** Writes the group in one transaction; resolves when it is flushed to disk. */
  async commit(): Promise<void> {
    if (this.#records.length === 0) return;
    await this.#store.transaction(() => {
      let position = this.#committed;
      for (const record of this.#records) this.#store.events.put(++position, record);
      for (const [name, stream] of this.#streams) {
        if (stream.head !== stream.stored) this.#store.heads.put(name, encodeHead(stream.head));
        for (const [offset, at] of stream.positions.entries()) {
          this.#store.index.put([stream.head.number, stream.from + offset], encodePosition(at));
        }
      }
    });
  }

  #decide(
    name: string,
    stream: BatchedStream,
    expected: ExpectedRevision,
    ids: readonly string[],
  ): AppendDecision {
    const { head } = stream;
    const described = describedBy(name);
    return decideAppend(expected, ids, {
      last: head.last,
      // A tombstone ends the stream's metadata with it.
      tombstoned: head.tombstoned || (described !== undefined && this.#stream(described).head.tombstoned),
      softDeleted: this.#isSoftDeleted(head, name),
      hasMetadata: head.metadataPosition > 0,
      eventAt: (revision) => this.#eventAt(stream, revision),
      recent: (id) => this.#recentIds.find(id, name),
    });
  }

  #stream(name: string): BatchedStream {
    const known = this.#streams.get(name);
    if (known !== undefined) return known;
    const stored = this.#store.heads.get(name);
    const head = stored === undefined ? NEW_STREAM : decodeHead(stored);
    const stream: BatchedStream = { stored: head, head, from: head.last + 1, positions: [] };
    this.#streams.set(name, stream);
    return stream;
  }

  #write(name: string, stream: BatchedStream, event: ProposedEvent): void {
    const { head } = stream;
    const revision = head.last + 1;
    const position = this.last.position + 1;
    this.#records.push(
      encodeRecord({
        id: event.id,
        stream: name,
        revision,
        position,
        type: event.type,
        isJson: event.isJson,
        createdAt: this.#createdAt,
        metadata: event.metadata,
        data: event.data,
      }),
    );
    stream.positions.push(position);
    stream.head = { ...head, number: head.number || ++this.#lastStreamNumber, last: revision };
    this.#recentIds.add(event.id, name, revision, position);
    const described = describedBy(name);
    if (described !== undefined) {
      const target = this.#stream(described);
      target.head = { ...target.head, metadataPosition: position };
    }
  }

  #writeMetadata(name: string, data: Uint8Array): void {
    const metastream = metastreamOf(name);
    this.#write(metastream, this.#stream(metastream), {
      id: this.#newId(),
      type: "$metadata",
      isJson: true,
      metadata: NO_BYTES,
      data,
    });
  }

  #recreate(name: string, firstRevision: number): void {
    this.#writeMetadata(name, recreatedFrom(this.#metadataOf(this.#stream(name).head), firstRevision));
  }

  #isSoftDeleted(head: StreamHead, name: string): boolean {
    return head.metadataPosition > 0 && isSoftDeleted(retentionOf(name, this.#metadataOf(head)));
  }

  #metadataOf(head: StreamHead): Uint8Array | undefined {
    return head.metadataPosition === 0 ? undefined : recordData(this.#record(head.metadataPosition));
  }

  #eventAt(stream: BatchedStream, revision: number): { id: string; position: number } | undefined {
    const position = stream.positions[revision - stream.from] ?? this.#storedPosition(stream.head, revision);
    return position === undefined ? undefined : { id: recordId(this.#record(position)), position };
  }

  #storedPosition(head: StreamHead, revision: number): number | undefined {
    const stored = this.#store.index.get([head.number, revision]);
    return stored && decodePosition(stored);
  }

  #record(position: number): Buffer {
    return this.#records[position - this.#committed - 1] ?? recordAt(this.#store, position);
  }
}
