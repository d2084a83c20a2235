import { Buffer } from "node:buffer";
import { createHmac, createSecretKey, hkdfSync, timingSafeEqual } from "node:crypto";
import type { z } from "zod";

/** Makes and reads tokens of one purpose, which nobody but us has to check. */
export interface SignedTokens<Claims> {
  /**
   * The same claims under the same key are the same text, which is safe in a URL.
   *
   * @param expiresAt when it stops being one of our tokens; never, if left out
   */
  make(claims: Claims, expiresAt?: Date): string;
  /** Undefined for a token that has expired, that says something else than these claims, or that we did not make. */
  read(token: string, now?: Date): Claims | undefined;
}

export interface SignedTokenOptions {
  /** A token of one purpose is none of any other, also where both are made with the same key. */
  readonly purpose: string;
  /**
   * Secrets as base64url. The first makes tokens, any knows its own again: a key is added last, and moved to the front once
   * every worker knows it.
   */
  readonly keys: readonly string[];
}

/**
 * Tokens that hold their claims: `payload.HMAC-SHA256(secret, payload)`, both as base64url. The payload is JSON: the values
 * in the order of the schema's keys, and when it expires in milliseconds since 1970 where it does. The secret is derived from
 * the key and the purpose (HKDF-SHA256, RFC 5869). Anybody can read the claims; only we can make them.
 *
 * @param schema of the claims, whose values must be JSON. What it refuses is no token, also where an earlier version made it
 *
 * @example
 * ```ts
 * import { z } from "zod";
 *
 * const keys = ["a-secret-of-32-bytes-as-base64url-text-here"];
 * const tokens = signedTokens(z.object({ email: z.email() }), { purpose: "invitation", keys });
 * const token = tokens.make({ email: "ada@example.org" }, new Date(Date.now() + 86_400_000));
 * tokens.read(token)?.email;
 * ```
 */
export function signedTokens<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  { purpose, keys }: SignedTokenOptions,
): SignedTokens<z.output<z.ZodObject<Shape>>> {
  const names = Object.keys(schema.shape);
  const macs = keys.map((key) => macOf(key, purpose));
  const [newest] = macs;
  if (!newest) throw new Error(`there is no key for tokens of the purpose "${purpose}"`);
  return {
    make(claims, expiresAt) {
      const values: unknown[] = names.map((name) => claims[name as keyof typeof claims]);
      if (expiresAt) values.push(expiresAt.getTime());
      const payload = Buffer.from(JSON.stringify(values)).toString("base64url");
      return `${payload}.${newest(payload)}`;
    },
    read(token, now = new Date()) {
      const dot = token.indexOf(".");
      const payload = token.slice(0, Math.max(0, dot));
      const signature = token.slice(dot + 1);
      if (!macs.some((mac) => areEqual(signature, mac(payload)))) return undefined;
      const values: unknown[] = JSON.parse(Buffer.from(payload, "base64url").toString());
      const expiresAt = values.length > names.length ? Number(values.at(-1)) : Infinity;
      if (now.getTime() >= expiresAt) return undefined;
      return schema.safeParse(Object.fromEntries(names.map((name, index) => [name, values[index]]))).data;
    },
  };
}

/** Gives the signature of a text as base64url. */
function macOf(key: string, purpose: string): (text: string) => string {
  const secret = hkdfSync("sha256", Buffer.from(key, "base64url"), "", `carillon ${purpose}`, 32);
  const imported = createSecretKey(Buffer.from(secret));
  return (text) => createHmac("sha256", imported).update(text).digest("base64url");
}

/** Takes as long whichever letter is wrong. */
function areEqual(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}
