import { writeFile } from "node:fs/promises";
import { setPriority } from "node:os";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";

/** A tenth of the share of a process at 0. */
const nice = 10;
const tryAgainAfterMs = 150;
const tries = 20;

/**
 * Lets others go first wherever processors are short; on a system that cannot do that, nothing changes.
 *
 * @param pid a process that was just started, before it has threads, and that leads a session of its own
 */
export async function lowerPriority(pid: number): Promise<void> {
  try {
    setPriority(pid, nice);
    if (process.platform === "linux") await lowerSessionPriority(pid);
  } catch {
    // Then it is as fast as the others, and takes as much from them.
  }
}

/**
 * Where Linux shares processors between sessions first, a nice value counts within a session only, and the session has
 * one of its own (sched(7), "The autogroup feature"). Without privileges it can be set ten times in a second, by all.
 */
async function lowerSessionPriority(pid: number): Promise<void> {
  for (let left = tries; ; left--) {
    try {
      return await writeFile(`/proc/${pid}/autogroup`, String(nice));
    } catch (error) {
      if (left === 0 || (error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      await delay(tryAgainAfterMs, undefined, { ref: false });
    }
  }
}
