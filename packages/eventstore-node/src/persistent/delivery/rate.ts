/** A count, and how fast it grew between two looks at it. */
export class Rate {
  total = 0;
  #seenTotal = 0;
  #seenAt: number;

  /** `now` is in milliseconds. */
  constructor(now: number) {
    this.#seenAt = now;
  }

  /** The figures since the last look. */
  look(now: number): { total: number; sinceLast: number; perSecond: number } {
    const sinceLast = this.total - this.#seenTotal;
    const elapsed = now - this.#seenAt;
    this.#seenTotal = this.total;
    this.#seenAt = now;
    const perSecond = elapsed > 0 ? Math.floor((sinceLast * 1000) / elapsed) : 0;
    return { total: this.total, sinceLast, perSecond };
  }
}
