import { CarillonError, instantOf, tenantDecider } from "@carillon/domain";
import type { ApiServices } from "../../api-services.ts";
import type { Caller } from "../../http/command-envelope.ts";

/** From the school's own stream. Throws `tenant_unknown`. */
export async function bellTimes({ eventLog }: Pick<ApiServices, "eventLog">, { tenantId }: Caller) {
  const { state, last } = await eventLog.load(tenantDecider, tenantId, tenantId);
  if (!state || !last) throw new CarillonError("tenant_unknown", "There is no such school.");
  return {
    timeZone: state.profile.timeZone,
    bellTimes: state.bellTimes,
    asOf: { position: String(last.position), at: instantOf(new Date()) },
    stale: false,
  };
}
