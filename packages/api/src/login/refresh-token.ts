import { Instant, Role, SessionId, TenantId, UserId } from "@carillon/domain";
import { type SignedTokens, signedTokens } from "@carillon/platform";
import { z } from "zod";
import type { SessionRef, StoredSession } from "./sessions.ts";

/** Which session a refresh token belongs to, and its record when the token was made. */
export interface RefreshClaims extends SessionRef, StoredSession {}

const RefreshClaims = z.object({
  tenantId: TenantId,
  userId: UserId,
  sessionId: SessionId,
  session: z.object({
    generation: z.int().min(0),
    rotatedAt: Instant,
    roles: z.array(Role),
    region: z.string(),
  }),
  revision: z.int().min(0),
});

export type RefreshTokens = SignedTokens<RefreshClaims>;

/**
 * Makes and reads refresh tokens. Nothing secret has to be stored, and a token can be made again. It holds its
 * session's record, so that a refresh need not read it.
 *
 * @param key 32 bytes as base64url
 */
export const refreshTokens = (key: string): RefreshTokens =>
  signedTokens(RefreshClaims, { purpose: "refresh token", keys: [key] });
