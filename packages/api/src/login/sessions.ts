import type { Instant, Role, SessionId, TenantId, UserId } from "@carillon/domain";
import { type Bus, openBucket } from "@carillon/platform";
import { v7 as uuidV7 } from "uuid";

/** Which session, and whose it is. */
export interface SessionRef {
  readonly tenantId: TenantId;
  readonly userId: UserId;
  readonly sessionId: SessionId;
}

/** A session that can be refreshed: which of its refresh tokens is the newest, and what its next access token says. */
export interface Session {
  /** The newest token's number; the first is 0. */
  readonly generation: number;
  /** When the newest token took the place of the one before. */
  readonly rotatedAt: Instant;
  readonly roles: Role[];
  readonly region: string;
}

/** A session and the revision of its record: what `replace` compares. */
export interface StoredSession {
  readonly session: Session;
  readonly revision: number;
}

/** How long a session lives without a refresh, in days. */
export const sessionDays = 30;

/**
 * An id for a login that begins now. Make it before the password is read: a password that is changed while its
 * predecessor is being checked then ends this session too.
 */
export const newSessionId = (): SessionId => uuidV7() as SessionId;

/** When a session began, in milliseconds since 1970: a UUIDv7 begins with it. 0 for an id of another kind. */
export const sessionBegan = (sessionId: string): number =>
  /^[0-9a-f]{8}-[0-9a-f]{4}-7/.test(sessionId)
    ? Number.parseInt(sessionId.slice(0, 8) + sessionId.slice(9, 13), 16)
    : 0;

/** The sessions that can be refreshed. Every call throws `CarillonError` `unavailable` where NATS does not answer. */
export interface SessionStore {
  /** Stores a new session and gives its revision. */
  create(ref: SessionRef, session: Session): Promise<number>;
  /** Undefined for a session that has ended or never was. */
  get(ref: SessionRef): Promise<StoredSession | undefined>;
  /**
   * Stores a session in place of `revision` and gives the new one; undefined if that is no longer the newest, as for a
   * session that has ended.
   */
  replace(ref: SessionRef, session: Session, revision: number): Promise<number | undefined>;
  /** Ends a session, whatever its revision. */
  end(ref: SessionRef): Promise<void>;
  /** Ends every session of a person but `except`. */
  endAll(tenantId: TenantId, userId: UserId, except?: SessionId): Promise<void>;
}

const keyOf = ({ tenantId, userId, sessionId }: SessionRef) => `${tenantId}.${userId}.${sessionId}`;

/** Opens the sessions in the bucket `sessions`, which is made when it is first needed. */
export function openSessions(bus: Bus): SessionStore {
  const bucket = openBucket<Session>(bus, "sessions", {
    what: "The session store",
    ttlMs: sessionDays * 86_400_000,
  });
  return {
    create: (ref, session) => bucket.create(keyOf(ref), session),
    async get(ref) {
      const entry = await bucket.get(keyOf(ref));
      return entry && { session: entry.value, revision: entry.revision };
    },
    replace: (ref, session, revision) => bucket.replace(keyOf(ref), session, revision),
    end: (ref) => bucket.delete(keyOf(ref)),
    endAll: (tenantId, userId, except) =>
      bucket.purge(`${tenantId}.${userId}.*`, except && keyOf({ tenantId, userId, sessionId: except })),
  };
}
