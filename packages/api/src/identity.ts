import { type Action, authorize, CarillonError } from "@carillon/domain";
import type { Revocations, VerifyAccessToken } from "@carillon/platform";
import { publicProcedure } from "./trpc.ts";

/**
 * Makes the builders of procedures that need a token. The tenant is the token's, never the input's.
 *
 * @example
 * const { permitted } = procedures(accessTokenVerifier(AUTH_JWKS_URL), revocations);
 * permitted("classes.open").input(ClassProfile).mutation(({ ctx: { tenantId, actor }, input }) => …);
 */
export function procedures(verify: VerifyAccessToken, revocations: Pick<Revocations, "check">) {
  /** For who may do `action`, whether he belongs to a school or runs the platform. */
  const permittedAnywhere = (action: Action) =>
    publicProcedure.use(async ({ ctx, next }) => {
      const actor = await verify(bearerToken(ctx.authorization));
      revocations.check(actor);
      authorize(actor.roles, action);
      return next({ ctx: { actor } });
    });

  /** For who may do `action` at the school that the token is for. */
  const permitted = (action: Action) =>
    permittedAnywhere(action).use(({ ctx, next }) => {
      const { tid } = ctx.actor;
      if (tid !== null) return next({ ctx: { tenantId: tid } });
      throw new CarillonError("forbidden", "This token is for no school: use one that names a tenant.");
    });

  return { permitted, permittedAnywhere };
}
export type Procedures = ReturnType<typeof procedures>;

function bearerToken(authorization: string | undefined): string {
  const token = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
  if (token) return token;
  throw new CarillonError("token_missing", "Log in first and send the access token as a bearer token.");
}
