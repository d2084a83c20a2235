/** How long a consumer took for its last events. */
export class Timings {
  readonly #taken: number[] = [];

  /** Notes that an event took so many milliseconds. */
  add(milliseconds: number): void {
    if (this.#taken.length >= WINDOW) this.#taken.shift();
    this.#taken.push(milliseconds);
  }

  /** The figures that the real server gives, in milliseconds; none before the first event. */
  figures(): [name: string, milliseconds: number][] {
    const sorted = this.#taken.toSorted((one, other) => one - other);
    const count = sorted.length;
    if (count === 0) return [];
    const at = (percent: number) => sorted[Math.min(Math.floor((percent / 100) * count), count - 1)] ?? 0;
    const mean = sorted.reduce((sum, value) => sum + value, 0) / count;
    const figures: [string, number][] = [
      ["Mean", mean],
      ["Median", at(50)],
      ["Fastest", at(0)],
      ...[0, 20, 40, 60, 80].map((percent, index): [string, number] => [
        `Quintile ${index + 1}`,
        at(percent),
      ]),
      ...[90, 95, 99, 99.5, 99.9].map((percent): [string, number] => [`${percent}%`, at(percent)]),
      ["Highest", at(100)],
    ];
    return figures.map(([name, value]) => [name, Math.floor(value)]);
  }
}

const WINDOW = 1000;
