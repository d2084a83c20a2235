import {
  authorizeGrant,
  instantOf,
  PersonProfile,
  personDecider,
  Role,
  type TenantId,
  tenantDecider,
  UserId,
  userIdOf,
} from "@carillon/domain";
import { z } from "zod";
import type { ApiServices } from "../../api-services.ts";
import { type Caller, envelope } from "../../http/command-envelope.ts";
import { ImportedPasswordHash, NewPassword } from "../../login/passwords/input.ts";
import { refuseWeakPassword } from "../../login/passwords/strength.ts";

type Services = Pick<ApiServices, "eventLog" | "hashPool">;

const Roles = z.array(Role).min(1);

export const EnrollInput = PersonProfile.extend({
  email: PersonProfile.shape.email.default(null),
  roles: Roles,
  /** Without one, the person cannot log in with a password. */
  password: NewPassword.optional(),
  /** Instead of the password: its hash, from the system where the person had it. */
  passwordHash: ImportedPasswordHash.optional(),
}).refine(({ password, passwordHash }) => password === undefined || passwordHash === undefined, {
  path: ["passwordHash"],
  error: "give the password or its hash, not both",
});

/** Enrolls somebody. Throws `forbidden`, `password_weak`, `username_taken` and `busy`. */
export async function enrollPerson(
  services: Services,
  caller: Caller,
  { roles, password, passwordHash: imported, ...profile }: z.output<typeof EnrollInput>,
) {
  authorizeGrant(caller.actor.roles, roles);
  const { tenantId } = caller;
  const userId = userIdOf(tenantId, profile.username);
  const passwordHash =
    password === undefined ? (imported ?? null) : await firstHash(services, tenantId, profile, password);
  const { position } = await services.eventLog.execute(personDecider, tenantId, userId, [
    envelope(caller, instantOf(new Date()), { type: "EnrollUser", profile, roles, passwordHash }),
  ]);
  return { userId, position: String(position) };
}

/** The hash of somebody's first password, which must not be guessed from what is known of them and their school. */
async function firstHash(
  { eventLog, hashPool }: Services,
  tenantId: TenantId,
  { username, name }: PersonProfile,
  password: string,
): Promise<string> {
  const { state: school } = await eventLog.load(tenantDecider, tenantId, tenantId);
  refuseWeakPassword(password, [username, name, school?.profile.slug ?? "", school?.profile.name ?? ""]);
  return hashPool.hash(tenantId, password);
}

export const AssignRolesInput = z.object({ userId: UserId, roles: Roles });

/** Gives somebody roles in place of those before. Throws `forbidden` and `user_unknown`. */
export async function assignRoles(
  { eventLog }: Services,
  caller: Caller,
  { userId, roles }: z.output<typeof AssignRolesInput>,
) {
  authorizeGrant(caller.actor.roles, roles);
  const { position } = await eventLog.execute(personDecider, caller.tenantId, userId, [
    envelope(caller, instantOf(new Date()), { type: "AssignRoles", roles }),
  ]);
  return { position: String(position) };
}
