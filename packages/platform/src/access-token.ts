import { CarillonError, Role, TenantId } from "@carillon/domain";
import { createRemoteJWKSet, errors, importJWK, type JWK, jwtVerify, SignJWT } from "jose";
import { z } from "zod";

/** Who an access token speaks for. */
export const AccessClaims = z.object({
  /** A person's id, or `system:<name>` for a program. */
  sub: z.string().min(1),
  /** The tenant that everything is done in; null only for who runs the platform. */
  tid: TenantId.nullable(),
  roles: z.array(Role),
  /** The session that the token belongs to. */
  sid: z.string(),
  region: z.string(),
});
export type AccessClaims = z.infer<typeof AccessClaims>;

/** How long an access token is valid, in seconds. */
export const accessTokenSeconds = 600;

const algorithm = "EdDSA";
const issuer = "carillon";
const audience = "carillon";

/** A private Ed25519 key as JWK with a `kid`. */
export type SigningKey = JWK & { kid: string };

/** The part of a signing key that may be published. */
export const publicKey = ({ kty, crv, x, kid }: SigningKey): JWK =>
  ({ kty, crv, x, kid, alg: algorithm, use: "sig" }) as JWK;

/** Signs an access token (JWT, EdDSA) that is valid for `accessTokenSeconds` from `now`. */
export async function signAccessToken(key: SigningKey, claims: AccessClaims, now: Date): Promise<string> {
  const { sub, ...own } = claims;
  const issuedAt = Math.floor(now.getTime() / 1000);
  return new SignJWT(own)
    .setProtectedHeader({ alg: algorithm, kid: key.kid, typ: "at+jwt" })
    .setSubject(sub)
    .setIssuer(issuer)
    .setAudience(audience)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + accessTokenSeconds)
    .sign(await importJWK(key, algorithm));
}

/** Checks a token and gives its claims. Throws `CarillonError`: `token_expired`, `token_invalid` or `unavailable`. */
export type VerifyAccessToken = (token: string) => Promise<AccessClaims>;

/** Checks tokens against the public keys at `jwksUrl`, which are fetched once and again only for an unknown key. */
export function accessTokenVerifier(jwksUrl: string): VerifyAccessToken {
  const keys = createRemoteJWKSet(new URL(jwksUrl));
  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: [algorithm],
        issuer,
        audience,
        typ: "at+jwt",
      });
      return AccessClaims.parse(payload);
    } catch (error) {
      throw refused(error);
    }
  };
}

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
