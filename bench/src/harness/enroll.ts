import {
  type Instant,
  instantOf,
  personDecider,
  type Role,
  type TenantId,
  tenantDecider,
  tenantIdOf,
  userIdOf,
} from "@carillon/domain";
import { type CommandContext, commandContext, type EventLog } from "@carillon/platform";

/** Where every school of ours is. */
export const region = "local";

/** How many appends are under way at once: enough that the log's flushes are shared. */
export const appendsInFlight = 256;

/** For a command of the set-up, which goes straight to the event log. */
export const setUpContext = (tenantId: TenantId, at: Instant = instantOf(new Date())): CommandContext =>
  commandContext(tenantId, "system:bench", at);

/** Enrols a school that is not there yet. */
export async function enrollSchool(log: EventLog, slug: string): Promise<TenantId> {
  const tenantId = tenantIdOf(slug);
  const profile = {
    name: slug,
    slug,
    region,
    tier: "shared" as const,
    timeZone: "UTC",
    locale: "en-GB",
    branding: { colour: "#1f3a5f", logoUrl: null },
  };
  await log.execute(tenantDecider, tenantId, tenantId, [
    { command: { type: "EnrollTenant", profile }, context: setUpContext(tenantId) },
  ]);
  return tenantId;
}

/** Enrols a person who is not there yet. */
export function enrollPerson(
  log: EventLog,
  tenantId: TenantId,
  username: string,
  role: Role,
  passwordHash: string | null = null,
) {
  const profile = { username, name: username, email: null };
  return log.execute(
    personDecider,
    tenantId,
    userIdOf(tenantId, username),
    [
      {
        command: { type: "EnrollUser", profile, roles: [role], passwordHash },
        context: setUpContext(tenantId),
      },
    ],
    { expectNew: true },
  );
}
