import {
  instantOf,
  personDecider,
  type Role,
  type TenantId,
  tenantDecider,
  tenantIdOf,
  userIdOf,
} from "@carillon/domain";
import { commandContext, type EventLog, type Executed } from "@carillon/platform";
import { schoolProfile } from "./profile.ts";

const context = (tenantId: TenantId) => commandContext(tenantId, "system:test", instantOf(new Date()));

/** Enrols a school through the event log. */
export async function enrollTenant(log: EventLog, slug: string): Promise<TenantId> {
  const tenantId = tenantIdOf(slug);
  await log.execute(tenantDecider, tenantId, tenantId, [
    { command: { type: "EnrollTenant", profile: schoolProfile(slug) }, context: context(tenantId) },
  ]);
  return tenantId;
}

/** Enrols a person through the event log. */
export const enrollUser = (
  log: EventLog,
  tenantId: TenantId,
  username: string,
  roles: Role[] = ["student"],
): Promise<Executed<unknown>> =>
  log.execute(
    personDecider,
    tenantId,
    userIdOf(tenantId, username),
    [
      {
        command: {
          type: "EnrollUser",
          profile: { username, name: `Name of ${username}`, email: null },
          roles,
          passwordHash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA",
        },
        context: context(tenantId),
      },
    ],
    { expectNew: true },
  );
