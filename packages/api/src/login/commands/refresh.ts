import {
  type Bells,
  CarillonError,
  decideRefresh,
  instantOf,
  type Role,
  type TenantId,
} from "@carillon/domain";
import { z } from "zod";
import type { Context } from "../../http/trpc.ts";
import type { AuthServices } from "../auth-services.ts";
import { issueTokens, type Tokens } from "../issue-tokens.ts";
import type { RefreshClaims } from "../refresh-token.ts";
import type { SessionRef, StoredSession } from "../sessions.ts";

export const RefreshInput = z.object({ refreshToken: z.string().min(1).max(1024) });

/** Gives new tokens for a refresh token. */
export async function refresh(
  services: AuthServices,
  { correlationId }: Pick<Context, "correlationId">,
  { refreshToken }: z.output<typeof RefreshInput>,
): Promise<Tokens> {
  const token = services.refreshTokens.read(refreshToken);
  if (!token) throw new CarillonError("token_invalid", "The refresh token is not valid: log in again.");
  const [successor, bells] = await Promise.all([
    successorOf(services, token, correlationId),
    bellsOf(services, token.tenantId),
  ]);
  return issueTokens(services, successor, newestRoles(services, successor, successor), bells);
}

/**
 * What follows `token` in its session. The session's record is taken for what it was when the token was made, and read
 * only where it was replaced since. Throws `session_ended`.
 */
async function successorOf(
  services: AuthServices,
  token: RefreshClaims,
  correlationId: string,
): Promise<RefreshClaims> {
  const { sessions, revocations } = services;
  const { tenantId, userId, sessionId } = token;
  const ref = { tenantId, userId, sessionId };
  for (let stored: StoredSession | undefined = token; ; stored = await sessions.get(ref)) {
    if (!stored || revocations.isEnded(ref)) throw sessionEnded();
    const { session, revision } = stored;
    const roles = newestRoles(services, ref, stored);
    const decision = decideRefresh(session, token.session.generation, roles, instantOf(new Date()));
    switch (decision.kind) {
      case "repeat":
        return { ...ref, session, revision };
      case "rotate": {
        const newRevision = await sessions.replace(ref, decision.next, revision);
        if (newRevision !== undefined) return { ...ref, session: decision.next, revision: newRevision };
        break;
      }
      case "revoke":
        await revoke(services, ref, correlationId);
        throw sessionEnded();
    }
  }
}

/** Ends a session of which a used token came again: in this order, so that nothing is left that could be refreshed. */
async function revoke(
  { sessions, loginLog }: AuthServices,
  ref: SessionRef,
  correlationId: string,
): Promise<void> {
  await sessions.end(ref);
  await loginLog.ended({ ...ref, reason: "refresh_token_reused", actor: "system:auth", correlationId });
}

const newestRoles = (
  { revocations }: AuthServices,
  { tenantId, userId }: SessionRef,
  { session }: StoredSession,
): Role[] => revocations.newestRoles(tenantId, userId) ?? session.roles;

const noBells: Bells = { timeZone: "UTC", bellTimes: [] };

/** The bells of a school; none where they are not known now: they only spread the load. */
async function bellsOf({ accounts }: AuthServices, tenantId: TenantId): Promise<Bells> {
  const { value } = await accounts.school(tenantId).catch(() => ({ value: undefined }));
  return value ?? noBells;
}

const sessionEnded = () => new CarillonError("session_ended", "The session has ended: log in again.");
