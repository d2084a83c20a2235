import { publicProcedure, router } from "../http/trpc.ts";
import type { AuthServices } from "./auth-services.ts";
import { logOut, logOutEverywhere, RevokeInput, revokeSessions } from "./commands/end-sessions.ts";
import { LoginInput, logIn } from "./commands/log-in.ts";
import { ChangeInput, changePassword, ResetInput, resetPassword } from "./commands/passwords.ts";
import { RefreshInput, refresh } from "./commands/refresh.ts";

export function authRouter(services: AuthServices) {
  const { permitted } = services;
  return router({
    /**
     * Throws `tenant_unknown`, `login_refused`, `login_locked` and `busy` (each of these two with a wait) and
     * `unavailable`.
     */
    login: publicProcedure.input(LoginInput).mutation(({ ctx, input }) => logIn(services, ctx, input)),

    /** Throws `token_invalid` and `session_ended`: log in again; `unavailable`: try again. */
    refresh: publicProcedure.input(RefreshInput).mutation(({ ctx, input }) => refresh(services, ctx, input)),

    /** Ends the session that the token belongs to. */
    logout: permitted("sessions.own").mutation(({ ctx }) => logOut(services, ctx)),

    /** Ends every session of the caller, this one too. */
    logoutEverywhere: permitted("sessions.own").mutation(({ ctx }) => logOutEverywhere(services, ctx)),

    /** Ends every session of somebody else. Throws `user_unknown` and `forbidden`. */
    revokeSessions: permitted("sessions.revoke")
      .input(RevokeInput)
      .mutation(({ ctx, input }) => revokeSessions(services, ctx, input)),

    /**
     * Changes the caller's password and ends their other sessions. Throws `login_refused` where the current one is not
     * right, `login_locked` after too many such, `busy`, and `password_weak`.
     */
    changePassword: permitted("sessions.own")
      .input(ChangeInput)
      .mutation(({ ctx, input }) => changePassword(services, ctx, input)),

    /**
     * Gives somebody else a password that they are asked to change, and ends all their sessions. Without a password it
     * makes one, which is told this once. Throws `user_unknown`, `forbidden`, `busy` and `password_weak`.
     */
    resetPassword: permitted("people.resetPassword")
      .input(ResetInput)
      .mutation(({ ctx, input }) => resetPassword(services, ctx, input)),
  });
}
