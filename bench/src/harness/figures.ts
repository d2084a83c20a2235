/** What was measured in each round. Carillon, the baseline and the ceiling take turns, so that round n compares. */
export interface Rounds {
  readonly carillon: readonly number[];
  /** What a competent team ships first. */
  readonly baseline?: readonly number[];
  /** The machine's own limit for this work. */
  readonly ceiling?: readonly number[];
}

/** Rounds to fill. */
export const newRounds = () => ({
  carillon: [] as number[],
  baseline: [] as number[],
  ceiling: [] as number[],
});

/** One figure of a storm as the table and the JSON file show it; null where there is nothing to compare with. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly carillon: number;
  readonly baseline: number | null;
  readonly ceiling: number | null;
  readonly ratioToBaseline: number | null;
  readonly ratioToCeiling: number | null;
  readonly rounds: Required<Rounds>;
}

/** The middle of `values`, or the mean of the two in the middle. @throws RangeError when there are none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new RangeError("nothing was measured");
  return (lower + upper) / 2;
}

/** The `share` (0 to 1) quantile of `values`: the least of them that so many are not above. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(Math.ceil(sorted.length * share) - 1, 0)];
  if (value === undefined) throw new RangeError("nothing was measured");
  return value;
}

/**
 * A figure and its ratios, from the medians of its rounds.
 * @example figure("logins-per-second", "1/s", { carillon: [90, 100], ceiling: [200, 210] })
 */
export function figure(
  name: string,
  unit: string,
  { carillon, baseline = [], ceiling = [] }: Rounds,
): Figure {
  const value = median(carillon);
  const compared = (values: readonly number[]) => (values.length === 0 ? null : median(values));
  const ratio = (to: number | null) => (to === null || to === 0 ? null : value / to);
  return {
    name,
    unit,
    carillon: value,
    baseline: compared(baseline),
    ceiling: compared(ceiling),
    ratioToBaseline: ratio(compared(baseline)),
    ratioToCeiling: ratio(compared(ceiling)),
    rounds: { carillon, baseline, ceiling },
  };
}

const COLUMNS = ["figure", "unit", "carillon", "baseline", "ceiling", "of baseline", "of ceiling", "rounds"];

/** The figures as lines of text, a column each. */
export function table(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.name,
    figure.unit,
    amount(figure.carillon),
    amount(figure.baseline),
    amount(figure.ceiling),
    share(figure.ratioToBaseline),
    share(figure.ratioToCeiling),
    figure.rounds.carillon.map(amount).join(" "),
  ]);
  const lines = [COLUMNS, ...rows];
  const widths = COLUMNS.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  const isText = (column: number) => column < 2 || column === COLUMNS.length - 1;
  return lines
    .map((cells) =>
      cells
        .map((cell, column) =>
          isText(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function amount(value: number | null): string {
  if (value === null) return "-";
  return value >= 100 ? Math.round(value).toLocaleString("en-US") : String(Number(value.toPrecision(3)));
}

function share(ratio: number | null): string {
  return ratio === null ? "-" : `${Math.round(ratio * 100)} %`;
}
