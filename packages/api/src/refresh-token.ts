import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";
import { type Instant, SessionId } from "@carillon/domain";
import type { Session } from "@carillon/platform";

/** Which session a refresh token belongs to, and its number in it. */
export interface RefreshClaims {
  readonly sessionId: SessionId;
  readonly generation: number;
}

/**
 * Makes and reads refresh tokens: base64url of `sessionId.generation.HMAC-SHA256(key, sessionId.generation)`. Nothing
 * secret has to be stored, and a token can be made again.
 *
 * @param key 32 bytes as base64url
 */
export function refreshTokens(key: string) {
  const secret = Buffer.from(key, "base64url");
  const sign = (claims: string) => createHmac("sha256", secret).update(claims).digest();
  return {
    make({ sessionId, generation }: RefreshClaims): string {
      const claims = `${sessionId}.${generation}`;
      return Buffer.from(`${claims}.${sign(claims).toString("base64url")}`).toString("base64url");
    },
    /** Undefined for a token that we did not make. */
    read(token: string): RefreshClaims | undefined {
      const match = /^(([^.]+)\.(\d{1,9}))\.([^.]+)$/.exec(Buffer.from(token, "base64url").toString());
      if (!match) return undefined;
      const [, claims = "", id, generation, signature = ""] = match;
      const expected = sign(claims);
      const given = Buffer.from(signature, "base64url");
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
      return { sessionId: SessionId.parse(id), generation: Number(generation) };
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
