import { CarillonError, type SessionCommand, type SessionId, sessionDecider } from "@carillon/domain";
import type { EventLog, Logger, Step } from "@carillon/platform";

/** What happened to a session, to be written to the log after the answer is sent. */
export interface SessionEntry extends Step<SessionCommand> {
  readonly sessionId: SessionId;
}

/** Writes what happens to sessions off the way of a login. */
export interface LoginLog {
  /** Takes an entry; waits only where the buffer is full. Entries of one session are written in order. */
  record(entry: SessionEntry): Promise<void>;
  /** Resolves when everything that was taken is in the log. */
  drain(): Promise<void>;
}

const capacity = 1_000;

/** Opens a bounded buffer before the event log. While the log cannot be reached, entries wait. */
export function openLoginLog(eventLog: Pick<EventLog, "execute">, log: Pick<Logger, "warn">): LoginLog {
  /** Entries that were taken and are not yet in the log. */
  let pending = 0;
  let tail = Promise.resolve();
  const waiting: (() => void)[] = [];

  const write = async ({ sessionId, ...step }: SessionEntry) => {
    for (;;) {
      try {
        await eventLog.execute(sessionDecider, sessionId, [step], {
          expectNew: step.command.type === "Login",
        });
        return;
      } catch (error) {
        const code = error instanceof CarillonError ? error.code : "internal";
        log.warn({ err: error, sessionId }, "a session's event was not written");
        if (code !== "unavailable") return;
      }
    }
  };

  return {
    async record(entry) {
      while (pending >= capacity) await new Promise<void>((resolve) => waiting.push(resolve));
      pending++;
      tail = tail
        .then(() => write(entry))
        .finally(() => {
          pending--;
          waiting.shift()?.();
        });
    },
    drain: () => tail,
  };
}
