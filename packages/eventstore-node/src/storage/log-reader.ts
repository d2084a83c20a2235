import { Damaged } from "./errors.ts";
import { recordData, recordHeader } from "./record.ts";
import { decodeHead, decodePosition, type Store, type StreamHead } from "./store.ts";
import { describedBy, isSoftDeleted, type Retention, retentionOf } from "./stream-metadata.ts";

/** A page ends after about this many bytes, so that a slow reader costs one page of memory. */
const PAGE_BYTES = 256 * 1024;
const PAGE_EVENTS = 1024;

/** What a reader finds under a stream's name. */
export type StreamView =
  | { readonly kind: "missing" }
  | { readonly kind: "tombstoned" }
  | {
      readonly kind: "found";
      readonly number: number;
      /** The first and last revision that are visible; `first` is past `last` when none is. */
      readonly first: number;
      readonly last: number;
      readonly maxAge: Retention["maxAge"];
    };

/** Pages of records, in their stored form. Each page is read from one snapshot; none is held between pages. */
export class LogReader {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Up to `limit` records between the positions `from` and `to`, both included; backwards when `to` is before. */
  all(from: number, to: number, limit: number): Buffer[] {
    const backwards = to < from;
    return takePage(
      this.#store.events.getRange({
        start: from,
        end: backwards ? to - 1 : to + 1,
        reverse: backwards,
        limit: Math.min(limit, PAGE_EVENTS),
      }),
      (record) => record,
    );
  }

  /** The same between two revisions of the stream with this number. */
  stream(streamNumber: number, from: number, to: number, limit: number): Buffer[] {
    const backwards = to < from;
    return takePage(
      this.#store.index.getRange({
        start: [streamNumber, from],
        end: [streamNumber, backwards ? to - 1 : to + 1],
        reverse: backwards,
        limit: Math.min(limit, PAGE_EVENTS),
      }),
      (position) => this.#store.events.get(decodePosition(position)),
    );
  }

  /** What is visible of the stream `name` now. */
  view(name: string): StreamView {
    const stored = this.#store.heads.get(name);
    if (stored === undefined) return { kind: "missing" };
    const head = decodeHead(stored);
    if (head.tombstoned || this.#describesTombstoned(name)) return { kind: "tombstoned" };
    const retention = retentionOf(name, this.#metadata(head));
    if (head.last < 0 || isSoftDeleted(retention)) return { kind: "missing" };
    return {
      kind: "found",
      number: head.number,
      first: Math.max(retention.truncateBefore, head.last - retention.maxCount + 1, 0),
      last: head.last,
      maxAge: retention.maxAge,
    };
  }

  /** The record at `position`, which must exist. */
  at(position: number): Buffer {
    const [record] = this.all(position, position, 1);
    return record as Buffer;
  }

  /** The event of the stream `name` at `revision`, when readers still see it at `now`, in milliseconds since 1970. */
  visible(name: string, revision: number, now: number): Buffer | undefined {
    const view = this.view(name);
    if (view.kind !== "found" || !(revision >= view.first && revision <= view.last)) return undefined;
    const [record] = this.stream(view.number, revision, revision, 1);
    return record === undefined || isExpired(record, view.maxAge, now) ? undefined : record;
  }

  /** The data of the last event of the stream `name`, undefined when it has none. */
  lastData(name: string): Buffer | undefined {
    const view = this.view(name);
    if (view.kind !== "found" || view.first > view.last) return undefined;
    const [record] = this.stream(view.number, view.last, view.last, 1);
    return record && recordData(record);
  }

  /** The metadata of the stream `name`, which need not exist itself. */
  metadata(name: string): Buffer | undefined {
    const stored = this.#store.heads.get(name);
    return stored && this.#metadata(decodeHead(stored));
  }

  /** A tombstone ends the stream's metadata with it. */
  #describesTombstoned(name: string): boolean {
    const described = describedBy(name);
    const stored = described === undefined ? undefined : this.#store.heads.get(described);
    return stored !== undefined && decodeHead(stored).tombstoned;
  }

  #metadata(head: StreamHead): Buffer | undefined {
    return head.metadataPosition === 0 ? undefined : recordData(recordAt(this.#store, head.metadataPosition));
  }
}

/** The record at `position`, which must exist. @throws `Damaged` */
export function recordAt(store: Store, position: number): Buffer {
  const record = store.events.get(position);
  if (record === undefined) throw new Damaged(`the event at position ${position} is damaged`);
  return record;
}

/** Whether the record is older than its stream's `maxAge`, in seconds. */
export function isExpired(record: Buffer, maxAge: number, now: number): boolean {
  return maxAge !== Infinity && recordHeader(record).createdAt < now - maxAge * 1000;
}

/** Collects a page. Readers ask only for what is there, so that finding nothing means that the store is damaged. */
function takePage<T>(
  entries: Iterable<{ key: unknown; value: T }>,
  toRecord: (value: T) => Buffer | undefined,
): Buffer[] {
  const page: Buffer[] = [];
  let bytes = 0;
  for (const { key, value } of entries) {
    const record = toRecord(value);
    if (record === undefined) {
      // What comes before it is still read.
      if (page.length === 0) throw new Damaged(`the event at ${key} is damaged`);
      break;
    }
    page.push(record);
    bytes += record.length;
    if (bytes >= PAGE_BYTES) break;
  }
  if (page.length === 0) throw new Damaged("the log has no record where its index says that there is one");
  return page;
}
