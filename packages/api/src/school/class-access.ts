import {
  CarillonError,
  type ClassId,
  isPerson,
  leadsEveryClass,
  type MembershipState,
  membershipDecider,
  membershipIdOf,
  type TenantId,
  type UserId,
} from "@carillon/domain";
import type { EventLog } from "@carillon/platform";
import type { Caller } from "../http/command-envelope.ts";

/** What somebody is in a class now, from the membership's stream. */
export async function membershipOf(
  eventLog: EventLog,
  tenantId: TenantId,
  classId: ClassId,
  userId: UserId,
): Promise<MembershipState> {
  const { state } = await eventLog.load(membershipDecider, tenantId, membershipIdOf(classId, userId));
  return state;
}

/** Throws `not_a_member` unless the caller teaches the class or may act in every class. */
export async function authorizeInClass(
  eventLog: EventLog,
  { actor, tenantId }: Pick<Caller, "actor" | "tenantId">,
  classId: ClassId,
): Promise<void> {
  if (leadsEveryClass(actor.roles)) return;
  const membership = isPerson(actor.sub) && (await membershipOf(eventLog, tenantId, classId, actor.sub));
  if (membership === "teacher") return;
  throw new CarillonError("not_a_member", "Only teachers of this class, and admins, may do this.");
}
