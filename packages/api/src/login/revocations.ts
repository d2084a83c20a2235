import { accessTokenSeconds, type Role, type TenantId, type UserId } from "@carillon/domain";
import { type AccessClaims, type Bus, readStored, watchEvents } from "@carillon/platform";
import { revocationList, revokingEvents } from "./revocation-list.ts";
import type { SessionRef } from "./sessions.ts";

/** Which sessions and access tokens have ended before their time, as the log says it: kept in memory. */
export interface Revocations {
  /** Throws `CarillonError`: `session_ended`, or `token_expired` where only the roles have changed. */
  check(claims: AccessClaims): void;
  /** Whether a session was ended by an event. */
  isEnded(ref: SessionRef): boolean;
  /** The roles of the newest assignment that is remembered. */
  newestRoles(tenantId: TenantId, userId: UserId): Role[] | undefined;
  /** Resolves once everything that was on the bus at the start is known. */
  ready(): Promise<void>;
  /** What an operator should know. */
  notes(): readonly string[];
  close(): Promise<void>;
}

/** How long a worker that only checks access tokens has to remember, in milliseconds: a token's life and a minute. */
export const accessMemoryMs = (accessTokenSeconds + 60) * 1_000;

/**
 * Follows what ends sessions and changes roles on the bus, from `keepMs` ago. While the bus cannot be reached it
 * answers what it knows, so that tokens go on being taken: they live for ten minutes.
 *
 * @param keepMs how long what concerns all sessions of a person is remembered: the life of what is checked
 */
export async function followRevocations(bus: Bus, { keepMs }: { keepMs: number }): Promise<Revocations> {
  const list = revocationList({ userMs: keepMs, sessionMs: accessMemoryMs });
  const unreadable: string[] = [];
  const watches = Object.entries(revokingEvents).map(([type, category]) =>
    watchEvents(
      bus,
      `events.*.*.${category}.${type}`,
      category === "user" ? keepMs : accessMemoryMs,
      (stored) => {
        try {
          list.take(readStored(stored));
        } catch {
          unreadable.push(`${stored.type} at position ${stored.position}`);
        }
      },
    ),
  );
  return {
    check: list.check,
    isEnded: list.isEnded,
    newestRoles: (_tenantId, userId) => list.newestRoles(userId),
    async ready() {
      await Promise.all(watches.map(({ caughtUp }) => caughtUp));
    },
    notes: () => [
      ...(watches.every((watch) => watch.isLive()) ? [] : ["revocations are not heard at this moment"]),
      ...unreadable.map((which) => `a revocation cannot be read: ${which}`),
    ],
    async close() {
      for (const watch of watches) watch.close();
    },
  };
}
