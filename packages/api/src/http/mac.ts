import { Buffer } from "node:buffer";
import { type BinaryLike, createHmac, createSecretKey, hkdfSync, timingSafeEqual } from "node:crypto";

/** Signs texts that nobody but us has to check (HMAC-SHA256), and knows its own signatures again. */
export interface Mac {
  /** The signature as base64url. */
  sign(text: string): string;
  /** Whether a signature is ours; takes as long whichever of its bytes is wrong. */
  fits(text: string, signature: string): boolean;
}

export function macOf(secret: Buffer): Mac {
  const key = createSecretKey(secret);
  const digest = (text: string) => createHmac("sha256", key).update(text).digest();
  return {
    sign: (text) => digest(text).toString("base64url"),
    fits(text, signature) {
      const [expected, given] = [digest(text), Buffer.from(signature, "base64url")];
      return given.length === expected.length && timingSafeEqual(given, expected);
    },
  };
}

/** A secret of 32 bytes for one purpose, derived of a key that has another (HKDF, RFC 5869). */
export const derivedSecret = (key: BinaryLike, purpose: string): Buffer =>
  Buffer.from(hkdfSync("sha256", key, "", purpose, 32));
