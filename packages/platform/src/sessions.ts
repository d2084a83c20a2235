import { Instant, type SessionId, TenantId, UserId } from "@carillon/domain";
import { type KV, NatsError } from "nats";
import { v7 as uuidV7 } from "uuid";
import { z } from "zod";
import { keepBucket } from "./bucket.ts";
import type { Bus } from "./bus.ts";

/** A session that can be refreshed: whose it is, and which of its refresh tokens is the newest. */
export const Session = z.object({
  tenantId: TenantId,
  userId: UserId,
  /** The newest token's number; the first is 0. */
  generation: z.int().min(0),
  /** When the newest token took the place of the one before. */
  rotatedAt: Instant,
});
export type Session = z.infer<typeof Session>;

/** A session and the revision of its record: what `replace` compares. */
export interface StoredSession {
  readonly session: Session;
  readonly revision: number;
}

/** How long a session lives without a refresh, in days. */
export const sessionDays = 30;

/** An id for a login that happens now. */
export const newSessionId = (): SessionId => uuidV7() as SessionId;

/** The sessions that can be refreshed. Every call throws `CarillonError` `unavailable` where NATS does not answer. */
export interface SessionStore {
  /** Stores a new session. */
  create(id: SessionId, session: Session): Promise<void>;
  /** Undefined for a session that has ended or never was. */
  get(id: SessionId): Promise<StoredSession | undefined>;
  /** Stores a session in place of `revision`; false if that is no longer the newest. */
  replace(id: SessionId, session: Session, revision: number): Promise<boolean>;
  /** Ends a session, whatever its revision. */
  end(id: SessionId): Promise<void>;
}

/** JetStream's code for "wrong last sequence". */
const wrongLastSequence = 10071;

/** Opens the sessions in a JetStream key-value bucket, which is made when it is first needed. */
export function openSessions(bus: Bus): SessionStore {
  const withBucket = keepBucket<KV>("The session store", () =>
    bus.jetstream().views.kv("sessions", { ttl: sessionDays * 86_400_000, history: 1 }),
  );
  return {
    async create(id, session) {
      await withBucket((bucket) => bucket.create(id, JSON.stringify(session)));
    },
    get: (id) =>
      withBucket(async (bucket) => {
        const entry = await bucket.get(id);
        if (entry?.operation !== "PUT") return undefined;
        return { session: Session.parse(entry.json()), revision: entry.revision };
      }),
    replace: (id, session, revision) =>
      withBucket(async (bucket) => {
        try {
          await bucket.update(id, JSON.stringify(session), revision);
          return true;
        } catch (error) {
          if (error instanceof NatsError && error.api_error?.err_code === wrongLastSequence) return false;
          throw error;
        }
      }),
    end: (id) => withBucket((bucket) => bucket.delete(id)),
  };
}
