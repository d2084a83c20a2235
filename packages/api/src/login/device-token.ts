import { Buffer } from "node:buffer";
import type { TenantId, UserId } from "@carillon/domain";
import { derivedSecret, macOf } from "../http/mac.ts";

/** A device that somebody has logged in from. */
export interface KnownDevice {
  readonly deviceId: string;
}

/** How long a device stays known after a login, in milliseconds. */
export const deviceTokenMs = 400 * 86_400_000;

/**
 * Makes and reads device tokens: base64url of `deviceId.madeAt.HMAC-SHA256(secret, tenantId.userId.deviceId.madeAt)`.
 * A device token proves no identity: it says that this device knew the password once, so that
 * somebody else's guesses do not lock it out. It is worth nothing to another account.
 *
 * @param key the key of the refresh tokens, 32 bytes as base64url; the secret is derived from it (HKDF, RFC 5869)
 */
export function deviceTokens(key: string) {
  const mac = macOf(derivedSecret(Buffer.from(key, "base64url"), "carillon device token"));
  const signed = (tenantId: TenantId, userId: UserId, claims: string) => `${tenantId}.${userId}.${claims}`;
  return {
    /** Makes a token for a device, or for one that is new. */
    make(tenantId: TenantId, userId: UserId, now: Date, device?: KnownDevice): string {
      const claims = `${device?.deviceId ?? crypto.randomUUID()}.${now.getTime()}`;
      const signature = mac.sign(signed(tenantId, userId, claims));
      return Buffer.from(`${claims}.${signature}`).toString("base64url");
    },
    /** Undefined for a token that is not of this account, has expired or that we did not make. */
    read(tenantId: TenantId, userId: UserId, token: string, now: Date): KnownDevice | undefined {
      const match = /^(([0-9a-f-]{36})\.(\d{1,15}))\.([^.]+)$/.exec(
        Buffer.from(token, "base64url").toString(),
      );
      if (!match) return undefined;
      const [, claims = "", deviceId = "", madeAt, signature = ""] = match;
      if (!mac.fits(signed(tenantId, userId, claims), signature)) return undefined;
      return now.getTime() - Number(madeAt) < deviceTokenMs ? { deviceId } : undefined;
    },
  };
}
export type DeviceTokens = ReturnType<typeof deviceTokens>;
