import { instantOf, type PersonCommand, personDecider, UserId } from "@carillon/domain";
import { z } from "zod";
import { type Caller, envelope } from "../../http/command-envelope.ts";
import type { AuthServices } from "../auth-services.ts";
import { personToActOn, sessionOf } from "../own-session.ts";

/** Ends the caller's session. */
export async function logOut({ sessions, loginLog }: AuthServices, caller: Caller): Promise<void> {
  const { actor, correlationId } = caller;
  const ref = sessionOf(caller);
  // In this order: if we die in between, nothing is left that could be refreshed.
  await sessions.end(ref);
  await loginLog.ended({ ...ref, reason: "logged_out", actor: actor.sub, correlationId });
}

/** Ends every session of the caller. */
export const logOutEverywhere = (services: AuthServices, caller: Caller) =>
  changeAndEndSessions(services, caller, sessionOf(caller).userId, { type: "RevokeSessions", except: null });

export const RevokeInput = z.object({ userId: UserId });

/** Ends every session of somebody whose roles the caller may give. */
export async function revokeSessions(
  services: AuthServices,
  caller: Caller,
  { userId }: z.output<typeof RevokeInput>,
) {
  await personToActOn(services, caller, userId);
  return changeAndEndSessions(services, caller, userId, { type: "RevokeSessions", except: null });
}

type EndingCommand = Extract<PersonCommand, { type: "ChangePassword" | "ResetPassword" | "RevokeSessions" }>;

/** Writes what ends sessions of somebody. The event ends them; to delete their records is only tidying. */
export async function changeAndEndSessions(
  { eventLog, sessions }: AuthServices,
  caller: Caller,
  userId: UserId,
  command: EndingCommand,
) {
  const { tenantId } = caller;
  const { position } = await eventLog.execute(personDecider, tenantId, userId, [
    envelope(caller, instantOf(new Date()), command),
  ]);
  const except = command.type === "ChangePassword" ? command.sessionId : undefined;
  await sessions.endAll(tenantId, userId, except).catch(() => {});
  return { position: String(position) };
}
