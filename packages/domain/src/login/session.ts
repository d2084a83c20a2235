import { z } from "zod";
import { accept, type Decider, refuse } from "../decider.ts";
import { type EventOf, eventType } from "../event-type.ts";
import { SessionId, UserId } from "../ids.ts";

/** Why a login was refused. The client is told only that it was. */
export const LoginRefusal = z.enum(["unknown_user", "no_password", "wrong_password", "too_many_attempts"]);
export type LoginRefusal = z.infer<typeof LoginRefusal>;

/** Why one session ended before its time. */
const SessionEnd = z.enum(["refresh_token_reused", "logged_out"]);
type SessionEnd = z.infer<typeof SessionEnd>;

export const sessionEvents = {
  LoggedIn: eventType(z.object({ sessionId: SessionId, userId: UserId })),
  LoginRefused: eventType(z.object({ sessionId: SessionId, userId: UserId, reason: LoginRefusal })),
  SessionRevoked: eventType(z.object({ sessionId: SessionId, userId: UserId, reason: SessionEnd })),
};
export type SessionEvent = EventOf<typeof sessionEvents>;

export type SessionCommand =
  | { type: "Login"; sessionId: SessionId; userId: UserId; refusal: LoginRefusal | null }
  | { type: "RevokeSession"; reason: SessionEnd };

export type SessionState = { sessionId: SessionId; userId: UserId; open: boolean } | undefined;

export const sessionDecider: Decider<SessionCommand, SessionEvent, SessionState, "session"> = {
  category: "session",
  initial: undefined,
  decide(command, state) {
    if (command.type === "Login") {
      const { sessionId, userId, refusal } = command;
      if (state) return accept();
      return refusal
        ? accept({ type: "LoginRefused", data: { sessionId, userId, reason: refusal } })
        : accept({ type: "LoggedIn", data: { sessionId, userId } });
    }
    if (!state) return refuse("session_ended", "There is no such session: log in again.");
    if (!state.open) return accept();
    const { sessionId, userId } = state;
    return accept({ type: "SessionRevoked", data: { sessionId, userId, reason: command.reason } });
  },
  evolve(_state, event) {
    const { sessionId, userId } = event.data;
    return { sessionId, userId, open: event.type === "LoggedIn" };
  },
};
