import type { Acknowledged } from "../in-the-log.ts";

/** One side of the storm, with its schools enrolled. */
export interface Side {
  /** Where its students come in. */
  readonly url: string;
  /** Its processes by name, at this moment. */
  pids(): Readonly<Record<string, number>>;
  /** Counts what of this it does not have, and what it has twice, in what it stores. */
  judge(acknowledged: readonly Acknowledged[]): Promise<Verdict>;
  stop(): Promise<void>;
}

export interface Verdict {
  readonly lost: number;
  readonly duplicated: number;
}
