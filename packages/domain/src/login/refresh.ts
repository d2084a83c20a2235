import type { Role } from "../school/person.ts";
import type { Instant } from "../time.ts";

/** A session that can be refreshed: which of its refresh tokens is the newest, and what its next access token says. */
export interface RefreshableSession {
  /** The newest token's number; the first is 0. */
  readonly generation: number;
  /** When the newest token took the place of the one before. */
  readonly rotatedAt: Instant;
  readonly roles: Role[];
  readonly region: string;
}

/** For how long the token before the newest still gives the newest: two tabs refresh at once. In milliseconds. */
export const twoTabsMs = 30_000;

/** What a refresh token does to its session. */
export type RefreshDecision =
  /** It is the newest: a newer one takes its place. */
  | { readonly kind: "rotate"; readonly next: RefreshableSession }
  /** Its successor is given again. */
  | { readonly kind: "repeat" }
  /** It was used long ago, so one of those that hold it has stolen it: the session ends. */
  | { readonly kind: "revoke" };

/**
 * Decides what follows a refresh token.
 *
 * @param session as it is stored
 * @param generation the token's number
 * @param roles those that its owner has now
 */
export function decideRefresh(
  session: RefreshableSession,
  generation: number,
  roles: Role[],
  now: Instant,
): RefreshDecision {
  // Greater: we gave it away, then the store lost the rotation.
  if (generation >= session.generation) {
    return { kind: "rotate", next: { ...session, roles, generation: generation + 1, rotatedAt: now } };
  }
  const age = Date.parse(now) - Date.parse(session.rotatedAt);
  const isSecondTab = generation === session.generation - 1 && age <= twoTabsMs;
  return { kind: isSecondTab ? "repeat" : "revoke" };
}
