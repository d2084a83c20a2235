import { type BellTime, instantOf, type TenantProfile, tenantDecider, tenantIdOf } from "@carillon/domain";
import type { ApiServices } from "../../api-services.ts";
import { type Caller, envelope } from "../../http/command-envelope.ts";

type Services = Pick<ApiServices, "eventLog">;

/** Enrolls a school. Throws `tenant_slug_taken`. */
export async function enrollTenant(
  { eventLog }: Services,
  operator: Omit<Caller, "tenantId">,
  profile: TenantProfile,
) {
  const tenantId = tenantIdOf(profile.slug);
  const { position } = await eventLog.execute(tenantDecider, tenantId, tenantId, [
    envelope({ ...operator, tenantId }, instantOf(new Date()), { type: "EnrollTenant", profile }),
  ]);
  return { tenantId, position: String(position) };
}

export async function setBellTimes(
  { eventLog }: Services,
  caller: Caller,
  { bellTimes }: { bellTimes: BellTime[] },
) {
  const { tenantId } = caller;
  const { position } = await eventLog.execute(tenantDecider, tenantId, tenantId, [
    envelope(caller, instantOf(new Date()), { type: "SetBellTimes", bellTimes }),
  ]);
  return { position: String(position) };
}
