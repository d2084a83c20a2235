import { LINK_TYPE } from "../../storage/links.ts";
import type { EventLog } from "../../storage/log.ts";
import { recordData, recordHeader, recordRevision } from "../../storage/record.ts";
import { appendSystemEvent, changeMetadata, parkedStream } from "../streams.ts";

/** The events that one group gave up: links in a stream, until they are replayed. */
export class ParkedMessages {
  readonly #log: EventLog;
  readonly #stream: string;
  readonly #now: () => number;
  readonly #newId: () => string;

  constructor(log: EventLog, key: string, now: () => number, newId: () => string) {
    this.#log = log;
    this.#stream = parkedStream(key);
    this.#now = now;
    this.#newId = newId;
  }

  /** The numbers of the first and last parked message; `first` is past `last` when there is none. */
  get range(): { first: number; last: number } {
    const view = this.#log.reader.view(this.#stream);
    return view.kind === "found" ? view : { first: 0, last: -1 };
  }

  get count(): number {
    const { first, last } = this.range;
    return Math.max(0, last - first + 1);
  }

  /** Parks what `record` is or, when the group resolves links, what it stands for; resolves when that is on disk. */
  async park(record: Buffer, resolvesLinks: boolean, reason: string): Promise<void> {
    const { stream, type } = recordHeader(record);
    const number = recordRevision(record);
    const isLink = resolvesLinks && type === LINK_TYPE;
    const event = {
      type: LINK_TYPE,
      isJson: false,
      data: isLink ? recordData(record).toString() : `${number}@${stream}`,
      metadata: JSON.stringify({
        added: new Date(this.#now()).toISOString(),
        reason,
        subscriptionEventNumber: number,
      }),
    };
    await appendSystemEvent(this.#log, this.#stream, event, this.#newId);
  }

  /** The links from number `from` on, up to number `end`, at most `limit`. */
  read(from: number, end: number, limit: number): Buffer[] {
    const view = this.#log.reader.view(this.#stream);
    const last = view.kind === "found" ? Math.min(view.last, end - 1) : -1;
    if (view.kind !== "found" || from > last) return [];
    return this.#log.reader.stream(view.number, from, last, limit);
  }

  /** Forgets what was parked before number `first`. */
  async forgetBefore(first: number): Promise<void> {
    await changeMetadata(this.#log, this.#stream, { $tb: first }, this.#newId);
  }

  async delete(): Promise<void> {
    if (this.#log.reader.view(this.#stream).kind === "found") await this.#log.softDelete(this.#stream, "any");
  }
}
