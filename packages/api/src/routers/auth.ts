import {
  CarillonError,
  type Instant,
  instantOf,
  type LoginRefusal,
  type Role,
  type SessionId,
  type TenantId,
  tenantIdOf,
  type UserId,
  userIdOf,
} from "@carillon/domain";
import {
  accessTokenSeconds,
  commandContext,
  newSessionId,
  type SessionStore,
  type SigningKey,
  signAccessToken,
} from "@carillon/platform";
import { z } from "zod";
import type { Account, Accounts } from "../accounts.ts";
import type { LoginLog } from "../login-log.ts";
import { verifyPassword } from "../passwords.ts";
import { decideRefresh, type RefreshClaims, type RefreshTokens } from "../refresh-token.ts";
import { publicProcedure, router } from "../trpc.ts";

export interface AuthServices {
  readonly accounts: Accounts;
  readonly sessions: SessionStore;
  readonly loginLog: LoginLog;
  readonly refreshTokens: RefreshTokens;
  readonly signingKey: SigningKey;
}

/** A login as its client gets it. */
export interface Login {
  accessToken: string;
  refreshToken: string;
  /** When the access token expires. */
  expiresAt: Instant;
  tenantId: TenantId;
  userId: UserId;
  roles: Role[];
}

const LoginInput = z.object({
  /** The school's slug. */
  tenant: z.string().trim().toLowerCase().min(1).max(63),
  username: z.string().trim().min(1).max(128),
  password: z.string().min(1).max(1024),
});

export function authRouter({ accounts, sessions, loginLog, refreshTokens, signingKey }: AuthServices) {
  const answer = async (
    who: { tenantId: TenantId; userId: UserId; roles: Role[]; region: string },
    refresh: RefreshClaims,
  ): Promise<Login> => {
    const { tenantId, userId, roles, region } = who;
    // A token's times are whole seconds.
    const now = new Date(Math.floor(Date.now() / 1000) * 1000);
    const claims = { sub: userId, tid: tenantId, roles, sid: refresh.sessionId, region };
    return {
      accessToken: await signAccessToken(signingKey, claims, now),
      refreshToken: refreshTokens.make(refresh),
      expiresAt: instantOf(new Date(now.getTime() + accessTokenSeconds * 1000)),
      tenantId,
      userId,
      roles,
    };
  };

  /** The account if the password is its own. On a mismatch the person's stream decides: the view may be behind. */
  const check = async (
    tenantId: TenantId,
    userId: UserId,
    found: Account | undefined,
    password: string,
  ): Promise<Account | LoginRefusal> => {
    const known = found?.passwordHash ?? null;
    const fits = await verifyPassword(known, password);
    if (!found) return "unknown_user";
    if (fits) return found;
    const newest = await accounts.newest(tenantId, userId);
    if (newest && newest.passwordHash !== known && (await verifyPassword(newest.passwordHash, password))) {
      return newest;
    }
    return known === null ? "no_password" : "wrong_password";
  };

  return router({
    login: publicProcedure.input(LoginInput).mutation(async ({ ctx: { correlationId }, input }) => {
      const tenantId = tenantIdOf(input.tenant);
      const userId = userIdOf(tenantId, input.username);
      const { region, account: found } = await accounts.find(tenantId, userId);
      if (region === undefined) {
        throw new CarillonError("tenant_unknown", `There is no school "${input.tenant}" here.`);
      }
      const account = await check(tenantId, userId, found, input.password);
      const refusal = typeof account === "string" ? account : null;
      const at = instantOf(new Date());
      const sessionId = newSessionId();
      const entry = {
        sessionId,
        command: { type: "Login", sessionId, userId, refusal },
        // Who was refused may be anybody.
        context: { ...commandContext(tenantId, refusal ? "system:auth" : userId, at), correlationId },
      } as const;
      if (typeof account === "string") {
        await loginLog.record(entry);
        throw new CarillonError("login_refused", "The username or the password is not right.");
      }
      await sessions.create(sessionId, { tenantId, userId, generation: 0, rotatedAt: at });
      await loginLog.record(entry);
      return answer({ tenantId, userId, region, roles: account.roles }, { sessionId, generation: 0 });
    }),

    refresh: publicProcedure
      .input(z.object({ refreshToken: z.string().min(1).max(1024) }))
      .mutation(async ({ ctx: { correlationId }, input }) => {
        const token = refreshTokens.read(input.refreshToken);
        if (!token) throw new CarillonError("token_invalid", "The refresh token is not valid: log in again.");
        const { tenantId, userId, generation } = await succeed(token, correlationId);
        const { region, account } = await accounts.find(tenantId, userId);
        if (region === undefined || !account) throw sessionEnded();
        return answer(
          { tenantId, userId, region, roles: account.roles },
          { sessionId: token.sessionId, generation },
        );
      }),
  });

  /** The session with the token that follows `token` as its newest. Throws `session_ended`. */
  async function succeed({ sessionId, generation }: RefreshClaims, correlationId: string) {
    for (;;) {
      const stored = await sessions.get(sessionId);
      if (!stored) throw sessionEnded();
      const { session, revision } = stored;
      const at = instantOf(new Date());
      switch (decideRefresh(session, generation, at)) {
        case "repeat":
          return session;
        case "rotate": {
          const next = { ...session, generation: generation + 1, rotatedAt: at };
          if (await sessions.replace(sessionId, next, revision)) return next;
          break;
        }
        case "revoke":
          await revoke(sessionId, session.tenantId, at, correlationId);
          throw sessionEnded();
      }
    }
  }

  async function revoke(sessionId: SessionId, tenantId: TenantId, at: Instant, correlationId: string) {
    await sessions.end(sessionId);
    await loginLog.record({
      sessionId,
      command: { type: "RevokeSession", reason: "refresh_token_reused" },
      context: { ...commandContext(tenantId, "system:auth", at), correlationId },
    });
  }
}

const sessionEnded = () => new CarillonError("session_ended", "The session has ended: log in again.");
