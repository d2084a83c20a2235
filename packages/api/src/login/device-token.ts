import { TenantId, UserId } from "@carillon/domain";
import { signedTokens } from "@carillon/platform";
import { z } from "zod";

/** A device that somebody has logged in from. */
export interface KnownDevice {
  readonly deviceId: string;
}

/** How long a device stays known after a login, in milliseconds. */
export const deviceTokenMs = 400 * 86_400_000;

const DeviceClaims = z.object({ tenantId: TenantId, userId: UserId, deviceId: z.uuid() });

/**
 * Makes and reads device tokens. A device token proves no identity: it says that this device knew the password once, so
 * that somebody else's guesses do not lock it out. It is worth nothing to another account.
 *
 * @param key the key of the refresh tokens, 32 bytes as base64url
 */
export function deviceTokens(key: string) {
  const tokens = signedTokens(DeviceClaims, { purpose: "device token", keys: [key] });
  return {
    /** Makes a token for a device, or for one that is new. */
    make(tenantId: TenantId, userId: UserId, now: Date, device?: KnownDevice): string {
      const deviceId = device?.deviceId ?? crypto.randomUUID();
      return tokens.make({ tenantId, userId, deviceId }, new Date(now.getTime() + deviceTokenMs));
    },
    /** Undefined for a token that is not of this account, has expired or that we did not make. */
    read(tenantId: TenantId, userId: UserId, token: string, now: Date): KnownDevice | undefined {
      const claims = tokens.read(token, now);
      if (claims?.tenantId !== tenantId || claims.userId !== userId) return undefined;
      return { deviceId: claims.deviceId };
    },
  };
}
export type DeviceTokens = ReturnType<typeof deviceTokens>;
