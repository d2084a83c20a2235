import { CarillonError, parseStreamName, type Role, type SessionId, type UserId } from "@carillon/domain";
import type { AccessClaims, RecordedEvent } from "@carillon/platform";
import { type SessionRef, sessionBegan } from "./sessions.ts";

/** The types of events that end sessions or change what their tokens may say. */
export const revokingEvents = {
  SessionsRevoked: "user",
  UserRolesAssigned: "user",
  SessionRevoked: "session",
} as const;

/** How long each kind is remembered, in milliseconds. */
export interface RevocationMemory {
  readonly userMs: number;
  readonly sessionMs: number;
}

/** What is remembered of a person's revocations: sessions that began until `at` have ended, but for `spared`. */
interface Revoked {
  readonly at: number;
  readonly spared: SessionId | null;
}

/**
 * Remembers what the log says of ended sessions and changed roles. Takes events in the log's order, each once, and
 * forgets the oldest.
 */
export function revocationList({ userMs, sessionMs }: RevocationMemory) {
  const ended = new Map<string, { readonly at: number }>();
  const revoked = new Map<string, Revoked>();
  const assigned = new Map<string, { readonly at: number; readonly roles: Role[] }>();

  const hasEnded = (userId: string, sessionId: string) => {
    if (ended.has(sessionId)) return true;
    const known = revoked.get(userId);
    return known !== undefined && sessionBegan(sessionId) <= known.at && sessionId !== known.spared;
  };

  return {
    take(event: RecordedEvent): void {
      const at = Date.parse(event.created);
      const now = Date.now();
      const userId = parseStreamName(event.stream)?.id ?? "";
      switch (event.type) {
        case "SessionRevoked":
          remember(ended, event.data.sessionId, { at }, now - sessionMs);
          return;
        case "UserRolesAssigned":
          remember(assigned, userId, { at, roles: event.data.roles }, now - userMs);
          return;
        case "SessionsRevoked": {
          const { except } = event.data;
          // A session that had ended by then cannot spare itself.
          const spared = except !== null && !hasEnded(userId, except) ? except : null;
          remember(revoked, userId, { at, spared }, now - userMs);
        }
      }
    },

    /** Throws `session_ended`, or `token_expired` where only the roles have changed. */
    check({ sub, sid, roles }: AccessClaims): void {
      if (hasEnded(sub, sid)) {
        throw new CarillonError("session_ended", "The session has ended: log in again.");
      }
      const newest = assigned.get(sub)?.roles;
      if (newest && !sameRoles(newest, roles)) {
        throw new CarillonError("token_expired", "The roles have changed: refresh the access token.");
      }
    },

    isEnded: ({ userId, sessionId }: Pick<SessionRef, "userId" | "sessionId">) => hasEnded(userId, sessionId),

    newestRoles: (userId: UserId): Role[] | undefined => assigned.get(userId)?.roles,

    /** How many facts are remembered. */
    size: () => ended.size + revoked.size + assigned.size,
  };
}

/** Puts a fact at the end of a map that is in the order of time, and drops what is too old from its beginning. */
function remember<Fact extends { readonly at: number }>(
  facts: Map<string, Fact>,
  key: string,
  fact: Fact,
  since: number,
) {
  facts.delete(key);
  if (fact.at >= since) facts.set(key, fact);
  for (const [oldest, { at }] of facts) {
    if (at >= since) return;
    facts.delete(oldest);
  }
}

const sameRoles = (some: readonly Role[], others: readonly Role[]) =>
  some.length === others.length && some.every((role) => others.includes(role));
