import type { AppRouter } from "@carillon/api";
import { CarillonError, type ErrorCode, errorCatalogue, type TenantId } from "@carillon/domain";
import { type AccessClaims, type SigningKey, signAccessToken, signingKeys } from "@carillon/platform";
import { createTRPCClient, httpLink, TRPCClientError } from "@trpc/client";

/** A typed client of the platform at `url`, with or without an access token. */
export const createClient = (url: string, token?: string) =>
  createTRPCClient<AppRouter>({
    links: [httpLink({ url: `${url}/trpc`, headers: token ? { authorization: `Bearer ${token}` } : {} })],
  });

export type Client = ReturnType<typeof createClient>;

/**
 * A client for an operator of the platform: the signing key is what makes an operator. The token is valid for ten minutes.
 *
 * @param tenantId the tenant to act in; null for what belongs to none
 */
export async function createOperatorClient(
  platform: { url: string; authSigningKeys: readonly SigningKey[] },
  tenantId: TenantId | null,
): Promise<Client> {
  const claims: AccessClaims = {
    sub: "system:operator",
    tid: tenantId,
    roles: ["operator"],
    sid: "operator",
    region: "local",
  };
  const now = new Date();
  const key = signingKeys(platform.authSigningKeys).current(now);
  return createClient(platform.url, signAccessToken(key, claims, now));
}

/** What an API call answered as the error that it is: the catalogue's code, if the API gave one. */
export function asCarillonError(error: unknown): unknown {
  if (!(error instanceof TRPCClientError)) return error;
  const code: unknown = error.data?.errorCode;
  if (typeof code === "string" && Object.hasOwn(errorCatalogue, code)) {
    return new CarillonError(code as ErrorCode, error.message, { cause: error });
  }
  return new CarillonError("unavailable", `The platform cannot be reached: ${error.message}`, {
    cause: error,
  });
}
