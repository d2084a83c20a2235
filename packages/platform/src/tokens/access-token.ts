import { Actor, accessTokenSeconds, CarillonError, Role, TenantId } from "@carillon/domain";
import { createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from "jose";
import { LRUCache } from "lru-cache";
import { z } from "zod";
import { signCompact } from "./compact-signature.ts";
import type { SigningKey, SigningKeys } from "./signing-keys.ts";

/** Who an access token speaks for. */
export const AccessClaims = z.object({
  sub: Actor,
  /** The tenant that everything is done in; null only for an operator of the platform. */
  tid: TenantId.nullable(),
  roles: z.array(Role),
  /** The session that the token belongs to. */
  sid: z.string(),
  region: z.string(),
});
export type AccessClaims = z.infer<typeof AccessClaims>;

const issuer = "carillon";
const audience = "carillon";
const type = "at+jwt";

/** Signs an access token (JWT, EdDSA) that is valid for `accessTokenSeconds` from `now`. */
export function signAccessToken(key: SigningKey, claims: AccessClaims, now: Date): string {
  const iat = Math.floor(now.getTime() / 1000);
  const exp = iat + accessTokenSeconds;
  return signCompact(key, type, { ...claims, iss: issuer, aud: audience, iat, exp });
}

/** Checks a token and gives its claims. Throws `CarillonError`: `token_expired`, `token_invalid` or `unavailable`. */
export type VerifyAccessToken = (token: string) => Promise<AccessClaims>;

/** How long fetched keys are taken without looking for new ones, in milliseconds. */
const keysFreshMs = 60_000;
/** How long a key that is not among the fetched ones is taken for nobody's, in milliseconds. */
const unknownKeyMs = 1_000;

/**
 * Checks tokens against the public keys at `jwksUrl`. They are fetched before the first token, at once for a key that
 * is not among them, and from time to time beside the work: while they cannot be fetched, those that are known hold.
 */
export function accessTokenVerifier(jwksUrl: string): VerifyAccessToken {
  const keys = createRemoteJWKSet(new URL(jwksUrl), {
    cooldownDuration: unknownKeyMs,
    cacheMaxAge: Infinity,
  });
  let lookedAt = Date.now();
  return verifier((header, token) => {
    if (Date.now() - lookedAt > keysFreshMs) {
      lookedAt = Date.now();
      keys.reload().catch(() => {});
    }
    return keys(header, token);
  });
}

/** Checks tokens in the process that signs them. */
export const ownTokenVerifier = (keys: SigningKeys): VerifyAccessToken =>
  verifier(async ({ kid }) => {
    const key = keys.published(new Date()).find((candidate) => candidate.kid === kid);
    if (key) return key;
    throw new errors.JWKSNoMatchingKey();
  });

/** For how long a token that was checked is not checked again, in milliseconds: as long as its key may be gone unnoticed. */
const checkedMs = 60_000;
const maxChecked = 20_000;

const verifier = (keys: JWTVerifyGetKey): VerifyAccessToken => {
  const checked = new LRUCache<string, { readonly claims: AccessClaims; readonly until: number }>({
    max: maxChecked,
  });

  const check = async (token: string) => {
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ["EdDSA"],
        issuer,
        audience,
        typ: type,
        requiredClaims: ["exp"],
      });
      return { claims: AccessClaims.parse(payload), expiresAt: Number(payload.exp) * 1000 };
    } catch (error) {
      throw refused(error);
    }
  };

  return async (token) => {
    const known = checked.get(token);
    if (known && Date.now() < known.until) return known.claims;
    const { claims, expiresAt } = await check(token);
    checked.set(token, { claims, until: Math.min(expiresAt, Date.now() + checkedMs) });
    return claims;
  };
};

/** Why a token was refused: its own fault, or ours where the keys could not be fetched. */
function refused(cause: unknown): CarillonError {
  if (cause instanceof errors.JWTExpired) {
    return new CarillonError("token_expired", "The access token has expired: refresh it.", { cause });
  }
  if (cause instanceof z.ZodError || (cause instanceof errors.JOSEError && !isOfFetchedKeys(cause))) {
    return new CarillonError("token_invalid", "The access token is not valid: log in again.", { cause });
  }
  return new CarillonError("unavailable", "The token's keys cannot be fetched: try again.", { cause });
}

/** jose has no class of its own for keys that were answered with another status than 200. */
const isOfFetchedKeys = (error: errors.JOSEError) =>
  error instanceof errors.JWKSTimeout ||
  error instanceof errors.JWKSInvalid ||
  error.code === errors.JOSEError.code;
