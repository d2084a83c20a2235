import { setTimeout as delay } from "node:timers/promises";
import {
  type Actor,
  CarillonError,
  instantOf,
  type LoginRefusal,
  type SessionCommand,
  SessionId,
  sessionDecider,
  TenantId,
  UserId,
} from "@carillon/domain";
import {
  type CommandEnvelope,
  commandContext,
  counter,
  type EventLog,
  type Logger,
  type Registry,
} from "@carillon/platform";
import { z } from "zod";
import type { LoginJournal } from "./login-journal.ts";
import { type SessionRef, sessionBegan } from "./sessions.ts";

/** A login: the session that it began, or that it would have begun. */
export interface LoginAttempt extends SessionRef {
  readonly correlationId: string;
}

/** How one session ends before its time, and who ends it. */
export interface SessionEnding extends LoginAttempt {
  readonly reason: Extract<SessionCommand, { type: "RevokeSession" }>["reason"];
  readonly actor: Actor;
}

/** Writes to the event log what happens to sessions, off the way of a login where that is possible. */
export interface LoginLog {
  /**
   * Resolves when the login is sure to come into the log, whatever happens to this worker. Throws `CarillonError`
   * `unavailable` where that cannot be promised.
   */
  accepted(login: LoginAttempt): Promise<void>;
  /** Takes a refusal to be written soon; drops it where too many wait. */
  refused(login: LoginAttempt, refusal: LoginRefusal): void;
  /** Writes that a session has ended. Throws `CarillonError` `unavailable` where the log does not answer. */
  ended(session: SessionEnding): Promise<void>;
  /** Writes what was taken, as far as that goes in seconds. Accepted logins that are left wait for the next worker. */
  close(): Promise<void>;
}

const AcceptedLogin = z.object({
  tenantId: TenantId,
  userId: UserId,
  sessionId: SessionId,
  correlationId: z.string(),
});

const maxRefusals = 1_000;
const writersOfRefusals = 4;
const retryMs = 200;
const closeMs = 5_000;
const pollMs = 20;

export interface LoginLogDependencies {
  readonly eventLog: Pick<EventLog, "execute">;
  readonly journal: LoginJournal;
  readonly log: Pick<Logger, "warn">;
  readonly metrics: Registry;
}

/** Opens the way into the log, and begins to write what is in the journal, whichever worker put it there. */
export function openLoginLog({ eventLog, journal, log, metrics }: LoginLogDependencies): LoginLog {
  const dropped = counter(metrics, "carillon_login_refusals_dropped_total");
  const closing = new AbortController();
  const refusals: [LoginAttempt, LoginRefusal][] = [];
  const writers = new Set<Promise<void>>();
  /** Whether the log did not take the last entry: it is said once. */
  let failing = false;

  const failed = (error: unknown) => {
    if (!failing) log.warn({ err: error }, "logins wait to be written to the event log");
    failing = true;
  };

  const following = journal.follow(
    async (entry) => {
      const login = AcceptedLogin.parse(entry);
      await eventLog.execute(sessionDecider, login.tenantId, login.sessionId, [loginEnvelope(login, null)], {
        expectNew: true,
      });
      failing = false;
    },
    failed,
    closing.signal,
  );

  const writeRefusal = async (login: LoginAttempt, refusal: LoginRefusal) => {
    for (;;) {
      try {
        await eventLog.execute(
          sessionDecider,
          login.tenantId,
          login.sessionId,
          [loginEnvelope(login, refusal)],
          {
            expectNew: true,
          },
        );
        failing = false;
        return;
      } catch (error) {
        failed(error);
        // `close` has counted it.
        if (closing.signal.aborted) return;
        if (!(error instanceof CarillonError && error.code === "unavailable")) return dropped.inc();
        await delay(retryMs);
      }
    }
  };

  const writeRefusals = async () => {
    for (let next = refusals.shift(); next; next = refusals.shift()) await writeRefusal(...next);
  };

  return {
    accepted: ({ tenantId, userId, sessionId, correlationId }) =>
      journal.add({ tenantId, userId, sessionId, correlationId } satisfies z.infer<typeof AcceptedLogin>),
    refused(login, refusal) {
      if (refusals.length >= maxRefusals) return dropped.inc();
      refusals.push([login, refusal]);
      if (writers.size >= writersOfRefusals) return;
      const writer = writeRefusals().finally(() => writers.delete(writer));
      writers.add(writer);
    },
    async ended({ reason, actor, ...login }) {
      const { tenantId, sessionId, correlationId } = login;
      const context = { ...commandContext(tenantId, actor, instantOf(new Date())), correlationId };
      // The login may still be in the journal. It is the same event from there, which the log stores once.
      await eventLog.execute(sessionDecider, tenantId, sessionId, [
        loginEnvelope(login, null),
        { command: { type: "RevokeSession", reason }, context },
      ]);
    },
    async close() {
      const late = AbortSignal.timeout(closeMs);
      const emptied = async () => {
        await Promise.all(writers);
        while (!late.aborted && (await journal.pending()) > 0) await delay(pollMs);
      };
      await Promise.race([emptied().catch(failed), delay(closeMs)]);
      closing.abort();
      dropped.inc(refusals.splice(0).length + writers.size);
      await following;
    },
  };
}

/** A login as a command. Its id is the session's, so that it makes the same event wherever it comes from. */
function loginEnvelope(
  { tenantId, userId, sessionId, correlationId }: LoginAttempt,
  refusal: LoginRefusal | null,
): CommandEnvelope<SessionCommand> {
  return {
    command: { type: "Login", sessionId, userId, refusal },
    context: {
      tenantId,
      // A client that was refused may be anybody.
      actor: refusal ? "system:auth" : userId,
      occurredAt: instantOf(new Date(sessionBegan(sessionId))),
      correlationId,
      causationId: null,
      commandId: sessionId,
    },
  };
}
