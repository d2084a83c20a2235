const longestPauseMs = 1_000;
/**
 * Where events come faster than they are applied, they are gathered: a transaction for each would be most of the work.
 * What changes no row waits for what does: logins alone would be a transaction each in every shard. Both last the longer
 * the longer a batch takes to apply, so that little is left of it where others want the processors.
 */
const pauseAfter = (appliedMs: number, leastMs: number) =>
  Math.min(Math.max(4 * appliedMs, leastMs), longestPauseMs);

/** How long to gather events after a batch that took so long to apply. */
export const gatherMs = (appliedMs: number) => pauseAfter(appliedMs, 100);

/** How long to hold events that change no row, after a batch that took so long to apply. */
export const holdMs = (appliedMs: number) => pauseAfter(appliedMs, 250);
