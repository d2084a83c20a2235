import { CarillonError, UserId } from "@carillon/domain";
import { z } from "zod";
import type { Caller } from "../../http/command-envelope.ts";
import type { AuthServices } from "../auth-services.ts";
import { personInLog, personToActOn, sessionOf } from "../own-session.ts";
import { NewPassword, Password } from "../passwords/input.ts";
import { refuseWeakPassword } from "../passwords/strength.ts";
import { temporaryPassword } from "../passwords/temporary-password.ts";
import { newSessionId } from "../sessions.ts";
import { changeAndEndSessions } from "./end-sessions.ts";

export const ChangeInput = z.object({ currentPassword: Password, newPassword: NewPassword });

/** Changes the caller's password. */
export async function changePassword(
  services: AuthServices,
  caller: Caller,
  { currentPassword, newPassword }: z.output<typeof ChangeInput>,
) {
  const { proveByPassword, hashPool, loginLog } = services;
  const { correlationId } = caller;
  const { tenantId, userId, sessionId } = sessionOf(caller);
  const { profile } = await personInLog(services, tenantId, userId);
  refuseWeakPassword(newPassword, [profile.username, profile.name]);
  // The session is as good as a known device, and nobody's guesses elsewhere are in its way.
  const guesser = { tenantId, userId, deviceId: sessionId };
  const proof = await proveByPassword(guesser, currentPassword, correlationId);
  if (!proof.proven) {
    loginLog.refused({ tenantId, userId, sessionId: newSessionId(), correlationId }, proof.refusal);
    throw new CarillonError("login_refused", "The current password is not right.");
  }
  const passwordHash = await hashPool.hash(tenantId, newPassword);
  return changeAndEndSessions(services, caller, userId, { type: "ChangePassword", passwordHash, sessionId });
}

export const ResetInput = z.object({ userId: UserId, newPassword: NewPassword.optional() });

/** Gives somebody else a password, made here where none is given. */
export async function resetPassword(
  services: AuthServices,
  caller: Caller,
  { userId, newPassword }: z.output<typeof ResetInput>,
) {
  const { profile } = await personToActOn(services, caller, userId);
  if (newPassword !== undefined) refuseWeakPassword(newPassword, [profile.username, profile.name]);
  const password = newPassword ?? temporaryPassword();
  const passwordHash = await services.hashPool.hash(caller.tenantId, password);
  const command = { type: "ResetPassword", passwordHash } as const;
  const { position } = await changeAndEndSessions(services, caller, userId, command);
  return { position, temporaryPassword: newPassword === undefined ? password : null };
}
