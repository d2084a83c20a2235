import { Buffer } from "node:buffer";
import type { Instant } from "@carillon/domain";
import type { Session, SessionRef, StoredSession } from "@carillon/platform";
import { macOf } from "../http/mac.ts";

/** Which session a refresh token belongs to, and its record when the token was made. */
export interface RefreshClaims extends SessionRef, StoredSession {}

/**
 * Makes and reads refresh tokens: `claims.HMAC-SHA256(key, claims)`, both as base64url. Nothing secret has to be stored,
 * and a token can be made again. It holds its session's record, so that a refresh need not read it.
 *
 * @param key 32 bytes as base64url
 */
export function refreshTokens(key: string) {
  const mac = macOf(Buffer.from(key, "base64url"));
  return {
    make({ tenantId, userId, sessionId, session, revision }: RefreshClaims): string {
      const claims = { tenantId, userId, sessionId, session, revision } satisfies RefreshClaims;
      const text = Buffer.from(JSON.stringify(claims)).toString("base64url");
      return `${text}.${mac.sign(text)}`;
    },
    /** Undefined for a token that we did not make. */
    read(token: string): RefreshClaims | undefined {
      const [text = "", signature = "", ...others] = token.split(".");
      if (others.length > 0 || !mac.fits(text, signature)) return undefined;
      // What we signed, we had parsed.
      return JSON.parse(Buffer.from(text, "base64url").toString());
    },
  };
}
export type RefreshTokens = ReturnType<typeof refreshTokens>;

/** For how long the token before the newest still gives the newest: two tabs refresh at once. In milliseconds. */
export const twoTabsMs = 30_000;

/**
 * What a refresh token does to its session. `rotate`: it is the newest, a newer one takes its place. `repeat`: its
 * successor is given again. `revoke`: it was used long ago, so one of those who hold it has stolen it.
 */
export function decideRefresh(
  session: Pick<Session, "generation" | "rotatedAt">,
  generation: number,
  now: Instant,
): "rotate" | "repeat" | "revoke" {
  // Greater: we gave it away, then the store lost the rotation.
  if (generation >= session.generation) return "rotate";
  const age = Date.parse(now) - Date.parse(session.rotatedAt);
  return generation === session.generation - 1 && age <= twoTabsMs ? "repeat" : "revoke";
}
