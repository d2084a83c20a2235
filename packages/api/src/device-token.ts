import { Buffer } from "node:buffer";
import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import type { TenantId, UserId } from "@carillon/domain";

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
  const secret = Buffer.from(
    hkdfSync("sha256", Buffer.from(key, "base64url"), "", "carillon device token", 32),
  );
  const sign = (tenantId: TenantId, userId: UserId, claims: string) =>
    createHmac("sha256", secret).update(`${tenantId}.${userId}.${claims}`).digest();
  return {
    /** Makes a token for a device, or for one that is new. */
    make(tenantId: TenantId, userId: UserId, now: Date, device?: KnownDevice): string {
      const claims = `${device?.deviceId ?? crypto.randomUUID()}.${now.getTime()}`;
      const signature = sign(tenantId, userId, claims).toString("base64url");
      return Buffer.from(`${claims}.${signature}`).toString("base64url");
    },
    /** Undefined for a token that is not of this account, has expired or that we did not make. */
    read(tenantId: TenantId, userId: UserId, token: string, now: Date): KnownDevice | undefined {
      const match = /^(([0-9a-f-]{36})\.(\d{1,15}))\.([^.]+)$/.exec(
        Buffer.from(token, "base64url").toString(),
      );
      if (!match) return undefined;
      const [, claims = "", deviceId = "", madeAt, signature = ""] = match;
      const expected = sign(tenantId, userId, claims);
      const given = Buffer.from(signature, "base64url");
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
      return now.getTime() - Number(madeAt) < deviceTokenMs ? { deviceId } : undefined;
    },
  };
}
export type DeviceTokens = ReturnType<typeof deviceTokens>;
