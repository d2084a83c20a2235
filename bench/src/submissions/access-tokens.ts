import { newSessionId } from "@carillon/api/sessions";
import type { TenantId, UserId } from "@carillon/domain";
import { type SigningKey, signAccessToken, signingKeys } from "@carillon/platform";
import { region } from "../harness/enroll.ts";

/** Whose a token is. */
export interface TokenOwner {
  readonly tenantId: TenantId;
  readonly studentId: UserId;
}

/** How long a token of ours is used, in milliseconds: half of its life. */
const usedMs = 300_000;

/**
 * Gives students access tokens as a login would, signed with the platform's own key. One that was asked for before is
 * given again while it is fresh.
 *
 * @param keys the secret `AUTH_SIGNING_KEYS`
 */
export function accessTokens(keys: string): (owner: TokenOwner) => string {
  const signers = signingKeys(JSON.parse(keys) as SigningKey[]);
  const made = new Map<string, { token: string; at: number }>();
  return ({ tenantId, studentId }) => {
    const now = new Date();
    const known = made.get(studentId);
    if (known && now.getTime() - known.at < usedMs) return known.token;
    const claims = { sub: studentId, tid: tenantId, sid: newSessionId(), region };
    const token = signAccessToken(signers.current(now), { ...claims, roles: ["student"] }, now);
    made.set(studentId, { token, at: now.getTime() });
    return token;
  };
}
