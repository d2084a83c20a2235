import {
  accessTokenSeconds,
  type Bells,
  type Instant,
  instantOf,
  nextRefresh,
  type Role,
  type TenantId,
  type UserId,
} from "@carillon/domain";
import { signAccessToken } from "@carillon/platform";
import type { AuthServices } from "./auth-services.ts";
import type { RefreshClaims } from "./refresh-token.ts";

/** New tokens as their client gets them. */
export interface Tokens {
  accessToken: string;
  refreshToken: string;
  /** When the access token expires. */
  expiresAt: Instant;
  /** When to refresh: before it expires, and neither with everybody else nor when a bell rings. */
  nextRefresh: Instant;
  tenantId: TenantId;
  userId: UserId;
  roles: Role[];
}

/** Makes the tokens of a session: the access token for somebody with `roles`, and the refresh token that follows it. */
export function issueTokens(
  { signingKeys, refreshTokens }: Pick<AuthServices, "signingKeys" | "refreshTokens">,
  refresh: RefreshClaims,
  roles: Role[],
  bells: Bells,
): Tokens {
  const { tenantId, userId, sessionId, session } = refresh;
  const key = signingKeys.current(new Date());
  // A token's times are whole seconds.
  const now = new Date(Math.floor(Date.now() / 1000) * 1000);
  const claims = { sub: userId, tid: tenantId, roles, sid: sessionId, region: session.region };
  return {
    accessToken: signAccessToken(key, claims, now),
    refreshToken: refreshTokens.make(refresh),
    expiresAt: instantOf(new Date(now.getTime() + accessTokenSeconds * 1000)),
    nextRefresh: nextRefresh(instantOf(now), bells, Math.random()),
    tenantId,
    userId,
    roles,
  };
}
