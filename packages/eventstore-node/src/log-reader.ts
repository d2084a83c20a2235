import { recordData } from "./record.ts";
import { decodeHead, decodePosition, type Store, type StreamHead } from "./store.ts";
import { isSoftDeleted, type Retention, retentionOf } from "./stream-metadata.ts";

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
    if (head.tombstoned) return { kind: "tombstoned" };
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

  #metadata(head: StreamHead): Buffer | undefined {
    const record = head.metadataPosition === 0 ? undefined : this.#store.events.get(head.metadataPosition);
    return record && recordData(record);
  }
}

/** Collects a page. Readers ask only for what is there, so that finding nothing means that the store is damaged. */
function takePage(
  entries: Iterable<{ value: Buffer }>,
  toRecord: (value: Buffer) => Buffer | undefined,
): Buffer[] {
  const page: Buffer[] = [];
  let bytes = 0;
  for (const { value } of entries) {
    const record = toRecord(value);
    if (record === undefined) break;
    page.push(record);
    bytes += record.length;
    if (bytes >= PAGE_BYTES) break;
  }
  if (page.length === 0) throw new Error("the log has no record where its index says that there is one");
  return page;
}
