import {
  authorizeGrant,
  CarillonError,
  type Instant,
  instantOf,
  type PersonCommand,
  personDecider,
  type Role,
  SessionId,
  type TenantId,
  tenantIdOf,
  UserId,
  userIdOf,
} from "@carillon/domain";
import {
  accessTokenSeconds,
  type EventLog,
  newSessionId,
  type Revocations,
  type SessionRef,
  type SessionStore,
  type SigningKeys,
  type StoredSession,
  signAccessToken,
} from "@carillon/platform";
import { z } from "zod";
import type { Procedures } from "../http/authenticated-procedures.ts";
import { type Caller, envelope } from "../http/command-envelope.ts";
import { publicProcedure, router } from "../http/trpc.ts";
import type { Accounts } from "./accounts.ts";
import type { DeviceTokens } from "./device-token.ts";
import type { LoginLog } from "./login-recorder.ts";
import { type Bells, nextRefresh } from "./next-refresh.ts";
import type { ProveByPassword } from "./password-proof.ts";
import type { HashPool } from "./passwords/hash-pool.ts";
import { NewPassword } from "./passwords/input.ts";
import { refuseWeakPassword } from "./passwords/strength.ts";
import { temporaryPassword } from "./passwords/temporary-password.ts";
import { decideRefresh, type RefreshClaims, type RefreshTokens } from "./refresh-token.ts";

export interface AuthServices extends Procedures {
  readonly accounts: Accounts;
  readonly proveByPassword: ProveByPassword;
  readonly hashPool: Pick<HashPool, "hash">;
  readonly eventLog: Pick<EventLog, "load" | "execute">;
  readonly sessions: SessionStore;
  readonly loginLog: Pick<LoginLog, "accepted" | "refused" | "ended">;
  readonly refreshTokens: RefreshTokens;
  readonly deviceTokens: DeviceTokens;
  readonly revocations: Pick<Revocations, "isEnded" | "newestRoles">;
  readonly signingKeys: SigningKeys;
}

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

/** A login as its client gets it. */
export interface Login extends Tokens {
  /** To be kept, and sent with the next login of the same person: his wrong guesses here are then counted apart. */
  deviceToken: string;
  /** Somebody else chose the password: its owner should choose another. */
  passwordIsTemporary: boolean;
}

const Password = z.string().min(1).max(1024);

const LoginInput = z.object({
  /** The school's slug. */
  tenant: z.string().trim().toLowerCase().min(1).max(63),
  username: z.string().trim().min(1).max(128),
  password: Password,
  /** Of the last login of this person on this device. */
  deviceToken: z.string().max(512).optional(),
});

const noBells: Bells = { timeZone: "UTC", bellTimes: [] };

export function authRouter(services: AuthServices) {
  const { accounts, proveByPassword, hashPool, eventLog, sessions, loginLog } = services;
  const { refreshTokens, deviceTokens, revocations, signingKeys, permitted } = services;

  return router({
    /**
     * Throws `tenant_unknown`, `login_refused`, `login_locked` and `busy` (each of these two with a wait) and
     * `unavailable`.
     */
    login: publicProcedure
      .input(LoginInput)
      .mutation(async ({ ctx: { correlationId }, input }): Promise<Login> => {
        const tenantId = tenantIdOf(input.tenant);
        const userId = userIdOf(tenantId, input.username);
        const device =
          input.deviceToken === undefined
            ? undefined
            : deviceTokens.read(tenantId, userId, input.deviceToken, new Date());
        const { value: school, certain } = await accounts.school(tenantId);
        if (!school && certain) {
          throw new CarillonError("tenant_unknown", `There is no school "${input.tenant}" here.`);
        }
        if (!school) throw new CarillonError("unavailable", "The school cannot be looked up: try again.");
        // Before the password is read: if it is changed meanwhile, this session ends with the others.
        const ref = { tenantId, userId, sessionId: newSessionId() };
        const guesser = { tenantId, userId, deviceId: device?.deviceId };
        const proof = await proveByPassword(guesser, input.password, correlationId);
        if (!proof.proven) {
          loginLog.refused({ ...ref, correlationId }, proof.refusal);
          throw new CarillonError("login_refused", "The username or the password is not right.");
        }
        const { roles, passwordIsTemporary } = proof.account;
        const now = new Date();
        const session = { generation: 0, rotatedAt: instantOf(now), roles, region: school.region };
        const [revision] = await Promise.all([
          sessions.create(ref, session),
          loginLog.accepted({ ...ref, correlationId }),
        ]);
        return {
          ...tokens({ ...ref, session, revision }, roles, school),
          deviceToken: deviceTokens.make(tenantId, userId, now, device),
          passwordIsTemporary,
        };
      }),

    /** Throws `token_invalid` and `session_ended`: log in again; `unavailable`: try again. */
    refresh: publicProcedure
      .input(z.object({ refreshToken: z.string().min(1).max(1024) }))
      .mutation(async ({ ctx: { correlationId }, input }): Promise<Tokens> => {
        const token = refreshTokens.read(input.refreshToken);
        if (!token) throw new CarillonError("token_invalid", "The refresh token is not valid: log in again.");
        const [successor, bells] = await Promise.all([
          succeed(token, correlationId),
          bellsOf(token.tenantId),
        ]);
        return tokens(successor, newestRoles(successor), bells);
      }),

    /** Ends the session that the token belongs to. */
    logout: permitted("sessions.own").mutation(async ({ ctx }) => {
      const ref = ownSession(ctx);
      // In this order: if we die in between, nothing is left that could be refreshed.
      await sessions.end(ref);
      await loginLog.ended({
        ...ref,
        reason: "logged_out",
        actor: ctx.actor.sub,
        correlationId: ctx.correlationId,
      });
    }),

    /** Ends every session of the caller, this one too. */
    logoutEverywhere: permitted("sessions.own").mutation(async ({ ctx }) =>
      changeAndEndSessions(ctx, ownSession(ctx).userId, { type: "RevokeSessions", except: null }),
    ),

    /** Ends every session of somebody else. */
    revokeSessions: permitted("sessions.revoke")
      .input(z.object({ userId: UserId }))
      .mutation(async ({ ctx, input: { userId } }) => {
        await personToActOn(ctx, userId);
        return changeAndEndSessions(ctx, userId, { type: "RevokeSessions", except: null });
      }),

    /**
     * Changes the caller's password and ends his other sessions. Throws `login_refused` where the current one is not
     * right, `login_locked` after too many such, `busy`, and `password_weak`.
     */
    changePassword: permitted("sessions.own")
      .input(z.object({ currentPassword: Password, newPassword: NewPassword }))
      .mutation(async ({ ctx, input: { currentPassword, newPassword } }) => {
        const { tenantId, userId, sessionId } = ownSession(ctx);
        const { profile } = await person(tenantId, userId);
        refuseWeakPassword(newPassword, [profile.username, profile.name]);
        const { correlationId } = ctx;
        // The session is as good as a known device, and nobody's guesses elsewhere are in its way.
        const proof = await proveByPassword(
          { tenantId, userId, deviceId: sessionId },
          currentPassword,
          correlationId,
        );
        if (!proof.proven) {
          loginLog.refused({ tenantId, userId, sessionId: newSessionId(), correlationId }, proof.refusal);
          throw new CarillonError("login_refused", "The current password is not right.");
        }
        const passwordHash = await hashPool.hash(tenantId, newPassword);
        return changeAndEndSessions(ctx, userId, { type: "ChangePassword", passwordHash, sessionId });
      }),

    /**
     * Gives somebody else a password that he is asked to change, and ends all his sessions. Without a password it makes
     * one, which is told this once. Throws `user_unknown`, `forbidden`, `busy` and `password_weak`.
     */
    resetPassword: permitted("people.resetPassword")
      .input(z.object({ userId: UserId, newPassword: NewPassword.optional() }))
      .mutation(async ({ ctx, input: { userId, newPassword } }) => {
        const { profile } = await personToActOn(ctx, userId);
        if (newPassword !== undefined) refuseWeakPassword(newPassword, [profile.username, profile.name]);
        const password = newPassword ?? temporaryPassword();
        const passwordHash = await hashPool.hash(ctx.tenantId, password);
        const { position } = await changeAndEndSessions(ctx, userId, { type: "ResetPassword", passwordHash });
        return { position, temporaryPassword: newPassword === undefined ? password : null };
      }),
  });

  function tokens(refresh: RefreshClaims, roles: Role[], bells: Bells): Tokens {
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

  function newestRoles({ tenantId, userId, session }: RefreshClaims): Role[] {
    return revocations.newestRoles(tenantId, userId) ?? session.roles;
  }

  /** The bells of a school; none where they are not known now: they only spread the load. */
  async function bellsOf(tenantId: TenantId): Promise<Bells> {
    const { value } = await accounts.school(tenantId).catch(() => ({ value: undefined }));
    return value ?? noBells;
  }

  /**
   * What follows `token` in its session. The session's record is taken for what it was when the token was made, and read
   * only where it was replaced since. Throws `session_ended`.
   */
  async function succeed(token: RefreshClaims, correlationId: string): Promise<RefreshClaims> {
    const { tenantId, userId, sessionId } = token;
    const ref = { tenantId, userId, sessionId };
    const { generation } = token.session;
    for (let stored: StoredSession | undefined = token; ; stored = await sessions.get(ref)) {
      if (!stored || revocations.isEnded(ref)) throw sessionEnded();
      const { session, revision } = stored;
      const at = instantOf(new Date());
      switch (decideRefresh(session, generation, at)) {
        case "repeat":
          return { ...ref, session, revision };
        case "rotate": {
          const roles = newestRoles({ ...ref, ...stored });
          const next = { ...session, roles, generation: generation + 1, rotatedAt: at };
          const newRevision = await sessions.replace(ref, next, revision);
          if (newRevision !== undefined) return { ...ref, session: next, revision: newRevision };
          break;
        }
        case "revoke":
          await sessions.end(ref);
          await loginLog.ended({
            ...ref,
            reason: "refresh_token_reused",
            actor: "system:auth",
            correlationId,
          });
          throw sessionEnded();
      }
    }
  }

  async function person(tenantId: TenantId, userId: UserId) {
    const { state } = await eventLog.load(personDecider, tenantId, userId);
    if (state) return state;
    throw new CarillonError("user_unknown", "There is no such person at this school.");
  }

  /** Somebody whose roles the caller may give. Throws `user_unknown` and `forbidden`. */
  async function personToActOn({ tenantId, actor }: Caller, userId: UserId) {
    const found = await person(tenantId, userId);
    authorizeGrant(actor.roles, found.roles);
    return found;
  }

  /** Writes what ends sessions of somebody. The event ends them; to delete their records is only tidying. */
  async function changeAndEndSessions(caller: Caller, userId: UserId, command: EndingCommand) {
    const { position } = await eventLog.execute(personDecider, caller.tenantId, userId, [
      envelope(caller, instantOf(new Date()), command),
    ]);
    const except = command.type === "ChangePassword" ? command.sessionId : undefined;
    await sessions.endAll(caller.tenantId, userId, except).catch(() => {});
    return { position: String(position) };
  }
}

type EndingCommand = Extract<PersonCommand, { type: "ChangePassword" | "ResetPassword" | "RevokeSessions" }>;

const sessionEnded = () => new CarillonError("session_ended", "The session has ended: log in again.");

/** The session that a token belongs to. Throws `token_invalid` for a token of no session. */
function ownSession({ tenantId, actor }: Caller): SessionRef {
  const userId = UserId.safeParse(actor.sub);
  const sessionId = SessionId.safeParse(actor.sid);
  if (userId.success && sessionId.success)
    return { tenantId, userId: userId.data, sessionId: sessionId.data };
  throw new CarillonError("token_invalid", "This token belongs to no session: log in.");
}
