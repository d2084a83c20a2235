import type { Figure } from "./figures.ts";

/** How a storm is to run. */
export interface StormSetting {
  /** Prove only that it works: short rounds, few events. */
  readonly quick: boolean;
  /** Of what a storm chooses at random: the same seed chooses the same. */
  readonly seed: number;
  /** A folder of its own, which is removed afterwards. */
  readonly folder: string;
  /** Says on stderr what it does. */
  readonly say: (progress: string) => void;
}

/** A storm: starts what it needs on free ports, measures, stops it. */
export type Storm = (setting: StormSetting) => Promise<readonly Figure[]>;
