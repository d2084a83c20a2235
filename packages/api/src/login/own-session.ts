import {
  authorizeGrant,
  CarillonError,
  type PersonState,
  personDecider,
  SessionId,
  type TenantId,
  UserId,
} from "@carillon/domain";
import type { Caller } from "../http/command-envelope.ts";
import type { AuthServices } from "./auth-services.ts";
import type { SessionRef } from "./sessions.ts";

type Services = Pick<AuthServices, "eventLog">;

/** The session that a token belongs to. Throws `token_invalid` for a token of no session. */
export function sessionOf({ tenantId, actor }: Caller): SessionRef {
  const userId = UserId.safeParse(actor.sub);
  const sessionId = SessionId.safeParse(actor.sid);
  if (userId.success && sessionId.success) {
    return { tenantId, userId: userId.data, sessionId: sessionId.data };
  }
  throw new CarillonError("token_invalid", "This token belongs to no session: log in.");
}

/** Somebody as they are in the log. Throws `user_unknown`. */
export async function personInLog(
  { eventLog }: Services,
  tenantId: TenantId,
  userId: UserId,
): Promise<NonNullable<PersonState>> {
  const { state } = await eventLog.load(personDecider, tenantId, userId);
  if (state) return state;
  throw new CarillonError("user_unknown", "There is no such person at this school.");
}

/** Somebody whose roles the caller may give. Throws `user_unknown` and `forbidden`. */
export async function personToActOn(services: Services, { tenantId, actor }: Caller, userId: UserId) {
  const person = await personInLog(services, tenantId, userId);
  authorizeGrant(actor.roles, person.roles);
  return person;
}
