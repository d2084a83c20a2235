import type { ParkedMessages } from "./parking.ts";

/** Reads parked messages to be sent again, a batch at a time. */
export class ParkedReplay {
  readonly #parked: ParkedMessages;
  #range: { next: number; readonly end: number } | undefined;
  #isForgetting = false;

  constructor(parked: ParkedMessages) {
    this.#parked = parked;
  }

  get isActive(): boolean {
    return this.#range !== undefined;
  }

  /** Begins with the parked messages up to number `stopAt`, not included, unless it is under way. */
  start(stopAt: number): void {
    if (this.#range !== undefined) return;
    const { first, last } = this.#parked.range;
    const end = Math.min(stopAt, last + 1);
    if (first < end) this.#range = { next: first, end };
  }

  /**
   * The links to the next parked messages, at most `limit`; undefined when there is nothing to read, or what was read
   * before is not forgotten yet. `forgotten` resolves when these are, and never rejects: then is the time for more.
   * @throws when the log cannot be read.
   */
  read(limit: number): { readonly records: Buffer[]; readonly forgotten: Promise<void> } | undefined {
    if (this.#range === undefined || this.#isForgetting) return undefined;
    const { next, end } = this.#range;
    const records = this.#parked.read(next, end, limit);
    const after = next + records.length;
    return { records, forgotten: this.#forgetBefore(after, records.length === 0 || after >= end, end) };
  }

  async #forgetBefore(number: number, isDone: boolean, end: number): Promise<void> {
    this.#isForgetting = true;
    try {
      await this.#parked.forgetBefore(number);
    } catch {
      // Then a later replay sends them once more, which is allowed.
    }
    this.#isForgetting = false;
    this.#range = isDone ? undefined : { next: number, end };
  }
}
