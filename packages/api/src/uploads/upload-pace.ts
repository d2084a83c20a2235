/** Says when content that was promised is to be sent, so that not all of it comes at once. */
export interface UploadPace {
  /** Takes a turn for so many bytes and gives how long it is until then, in milliseconds. */
  promise(bytes: number): number;
  /** How long a turn that begins now would wait, in milliseconds. */
  wait(): number;
}

/** What one worker asks for, in bytes a second. The event log writes to the same disks. */
export const paceBytesPerSecond = 32 * 1024 ** 2;
/** So much of what was promised may come at once, in milliseconds of that pace. */
const atOnceMs = 1_000;
/** No client waits longer, in milliseconds: a turn spares the server and is no punishment. */
export const longestTurnMs = 30 * 60_000;

/** @param now the time in milliseconds */
export function uploadPace(now: () => number = Date.now): UploadPace {
  /** When everything that was promised will have come. */
  let freeAt = 0;
  const wait = () => Math.min(Math.max(0, Math.round(freeAt - now() - atOnceMs)), longestTurnMs);
  return {
    wait,
    promise(bytes) {
      const waitMs = wait();
      // What cannot be spread any further is not added up: the queue would outlast its reason.
      if (waitMs < longestTurnMs) freeAt = Math.max(now(), freeAt) + (bytes / paceBytesPerSecond) * 1_000;
      return waitMs;
    },
  };
}
