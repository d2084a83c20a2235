import { BellTimes, TenantProfile } from "@carillon/domain";
import { z } from "zod";
import type { ApiServices } from "../api-services.ts";
import { router } from "../http/trpc.ts";
import { enrollTenant, setBellTimes } from "./commands/tenants.ts";
import { bellTimes } from "./queries/tenants.ts";

export const tenantsRouter = (services: ApiServices) => {
  const { permitted, permittedAnywhere } = services;
  return router({
    /** Enrolls a school. Enrolling it again as it is changes nothing. */
    enroll: permittedAnywhere("tenants.enroll")
      .input(TenantProfile)
      .mutation(({ ctx, input }) => enrollTenant(services, ctx, input)),

    /** Says when the school's bells ring, in place of what was said before. Clients heed it a minute later. */
    setBellTimes: permitted("tenants.setBellTimes")
      .input(z.object({ bellTimes: BellTimes }))
      .mutation(({ ctx, input }) => setBellTimes(services, ctx, input)),

    /** When the school's bells ring, from its own stream: never behind. */
    bellTimes: permitted("tenants.setBellTimes").query(({ ctx }) => bellTimes(services, ctx)),
  });
};
