import { type Action, authorize, CarillonError, type TenantId } from "@carillon/domain";
import type { AccessClaims, VerifyAccessToken } from "@carillon/platform";
import { publicProcedure } from "./trpc.ts";

/** What is known of tokens that ended before their time. */
interface RevocationCheck {
  /** Throws `CarillonError`: `session_ended`, or `token_expired` where only the roles have changed. */
  check(claims: AccessClaims): void;
}

/**
 * Makes the builders of procedures that need a token. The tenant is the token's, never the input's.
 *
 * @example
 * const { permitted } = procedures(accessTokenVerifier(AUTH_JWKS_URL), revocations);
 * permitted("classes.open").input(ClassProfile).mutation(({ ctx: { tenantId, actor }, input }) => …);
 */
export function procedures(verify: VerifyAccessToken, revocations: RevocationCheck) {
  const actorOf = async (authorization: string | undefined) => {
    const actor = await verify(bearerToken(authorization));
    revocations.check(actor);
    return actor;
  };

  /** For callers that may do `action`, whether they belong to a school or run the platform. */
  const permittedAnywhere = (action: Action) =>
    publicProcedure.use(async ({ ctx, next }) => {
      const actor = await actorOf(ctx.authorization);
      authorize(actor.roles, action);
      return next({ ctx: { actor } });
    });

  /** For callers that may do `action` at the school that their token is for. */
  const permitted = (action: Action) =>
    permittedAnywhere(action).use(({ ctx, next }) => next({ ctx: { tenantId: schoolOf(ctx.actor) } }));

  /** Who an `Authorization` header speaks for, and at which school: for routes that are no procedures. */
  const identify = async (authorization: string | undefined) => {
    const actor = await actorOf(authorization);
    return { actor, tenantId: schoolOf(actor) };
  };

  return { permitted, permittedAnywhere, identify };
}
export type Procedures = ReturnType<typeof procedures>;

function schoolOf({ tid }: AccessClaims): TenantId {
  if (tid !== null) return tid;
  throw new CarillonError("forbidden", "This token is for no school: use one that names a tenant.");
}

function bearerToken(authorization: string | undefined): string {
  const token = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
  if (token) return token;
  throw new CarillonError("token_missing", "Log in first and send the access token as a bearer token.");
}
