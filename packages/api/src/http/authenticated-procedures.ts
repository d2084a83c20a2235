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
 * ```ts
 * import { accessTokenVerifier } from "@carillon/platform";
 *
 * const verify = accessTokenVerifier("http://127.0.0.1:7001/.well-known/jwks.json");
 * const { permitted } = procedures(verify, { check: () => {} });
 * const mine = permitted("classes.list").query(({ ctx: { tenantId, actor } }) => ({ tenantId, id: actor.sub }));
 * ```
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
