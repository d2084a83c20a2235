import type { Readiness } from "./readiness.ts";

/** One process of the platform, as data. */
export interface ProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Its whole environment: nothing of ours comes along. */
  readonly env: Readonly<Record<string, string>>;
  readonly readiness: Readiness;
  /** The user to run as, if not ours. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** What asks it to stop; SIGTERM if left out. */
  readonly stopSignal?: NodeJS.Signals;
  /** How long it may take to stop before it is killed; ten seconds if left out. */
  readonly stopPatienceMs?: number;
  /** Whether others go first wherever processors are short. */
  readonly background?: boolean;
  /** Runs before every start, also before a restart. */
  readonly prepare?: () => Promise<void>;
}

/** Takes one line of output (or of ours on it) with the process's name. */
export type Log = (name: string, line: string) => void;
