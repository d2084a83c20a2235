import { instantOf, TenantProfile, tenantDecider, tenantIdOf } from "@carillon/domain";
import type { ApiServices } from "../api-services.ts";
import { step } from "../command.ts";
import { router } from "../trpc.ts";

export const tenantsRouter = ({ permittedAnywhere, eventLog }: ApiServices) =>
  router({
    /** Enrolls a school. Enrolling it again as it is changes nothing. */
    enroll: permittedAnywhere("tenants.enroll")
      .input(TenantProfile)
      .mutation(async ({ ctx, input: profile }) => {
        const tenantId = tenantIdOf(profile.slug);
        const { position } = await eventLog.execute(tenantDecider, tenantId, [
          step({ ...ctx, tenantId }, instantOf(new Date()), { type: "EnrollTenant", profile }),
        ]);
        return { tenantId, position: String(position) };
      }),
  });
