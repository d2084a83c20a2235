import {
  BellTimes,
  CarillonError,
  instantOf,
  TenantProfile,
  tenantDecider,
  tenantIdOf,
} from "@carillon/domain";
import { z } from "zod";
import { envelope } from "../http/command-envelope.ts";
import { router } from "../http/trpc.ts";
import type { ApiServices } from "../workers/api-services.ts";

export const tenantsRouter = ({ permitted, permittedAnywhere, eventLog }: ApiServices) =>
  router({
    /** Enrolls a school. Enrolling it again as it is changes nothing. */
    enroll: permittedAnywhere("tenants.enroll")
      .input(TenantProfile)
      .mutation(async ({ ctx, input: profile }) => {
        const tenantId = tenantIdOf(profile.slug);
        const { position } = await eventLog.execute(tenantDecider, tenantId, tenantId, [
          envelope({ ...ctx, tenantId }, instantOf(new Date()), { type: "EnrollTenant", profile }),
        ]);
        return { tenantId, position: String(position) };
      }),

    /** Says when the school's bells ring, in place of what was said before. Clients heed it a minute later. */
    setBellTimes: permitted("tenants.setBellTimes")
      .input(z.object({ bellTimes: BellTimes }))
      .mutation(async ({ ctx, input: { bellTimes } }) => {
        const { position } = await eventLog.execute(tenantDecider, ctx.tenantId, ctx.tenantId, [
          envelope(ctx, instantOf(new Date()), { type: "SetBellTimes", bellTimes }),
        ]);
        return { position: String(position) };
      }),

    /** When the school's bells ring, from its own stream: never behind. */
    bellTimes: permitted("tenants.setBellTimes").query(async ({ ctx: { tenantId } }) => {
      const { state, last } = await eventLog.load(tenantDecider, tenantId, tenantId);
      if (!state || !last) throw new CarillonError("tenant_unknown", "There is no such school.");
      return {
        timeZone: state.profile.timeZone,
        bellTimes: state.bellTimes,
        asOf: { position: String(last.position), at: instantOf(new Date()) },
        stale: false,
      };
    }),
  });
