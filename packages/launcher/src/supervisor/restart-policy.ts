import type { ProcessEnd, ProcessRun } from "./process-run.ts";

const firstPauseMs = 100;
const longestPauseMs = 5_000;
/** Having run this long, a process is well, and its next death starts the back-off afresh. */
const wellAfterMs = 10_000;
/** A process that has never been ready is given up after this many starts: it is wrong, not unlucky. */
const startsWithoutReady = 5;

/** The deaths of a process so far, and how long it pauses after the next one. */
export interface DeathRecord {
  readonly deaths: number;
  readonly nextPauseMs: number;
}

export const noDeaths: DeathRecord = { deaths: 0, nextPauseMs: firstPauseMs };

export interface Death {
  readonly run: Pick<ProcessRun, "lastLines">;
  readonly end: ProcessEnd;
  readonly livedMs: number;
  /** Whether the process has been ready in any of its lives. */
  readonly everReady: boolean;
}

/**
 * What follows a death: another start after a pause that doubles up to five seconds, or none. Throws what the process
 * is given up for.
 */
export function afterDeath(
  { deaths, nextPauseMs }: DeathRecord,
  { run, end, livedMs, everReady }: Death,
): { readonly record: DeathRecord; readonly pauseMs: number } {
  const total = deaths + 1;
  if (end.hopeless) throw new Error(`${end.text}; it is not started again. ${run.lastLines()}`);
  if (!everReady && total >= startsWithoutReady) {
    throw new Error(
      `${end.text}, ${total} times without getting ready; it is not started again. ${run.lastLines()}`,
    );
  }
  const pauseMs = livedMs > wellAfterMs ? firstPauseMs : nextPauseMs;
  return { record: { deaths: total, nextPauseMs: Math.min(pauseMs * 2, longestPauseMs) }, pauseMs };
}
