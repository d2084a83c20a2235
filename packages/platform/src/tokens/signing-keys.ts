import type { Instant } from "@carillon/domain";
import type { JWK } from "jose";

/** A private Ed25519 key as JWK with a `kid`. */
export type SigningKey = JWK & {
  kid: string;
  /** From when on it signs; always, if left out. */
  signsFrom?: Instant | undefined;
};

/** The part of a signing key that may be published. */
export const publicKey = ({ kty, crv, x, kid }: JWK): JWK =>
  ({ kty, crv, x, kid, alg: "EdDSA", use: "sig" }) as JWK;

/** One key after another, each in time for those who check its signatures. */
export interface SigningKeys {
  /** The key that signs at `now`: of those that have begun, the last to begin. */
  current(now: Date): SigningKey;
  /** The public part of every key whose signatures may be met at `now` or soon. */
  published(now: Date): JWK[];
}

/**
 * Orders keys by when they begin to sign. Where none has begun, the first to begin signs.
 *
 * @param lifeSeconds how long a signature is worth something; a key is published that much longer than it signs
 */
export function signingKeys(keys: readonly SigningKey[], lifeSeconds = Infinity): SigningKeys {
  const inOrder = keys
    .map((key) => ({ key, open: publicKey(key), from: key.signsFrom ? Date.parse(key.signsFrom) : 0 }))
    .sort((one, other) => one.from - other.from);
  const [first] = inOrder;
  if (!first) throw new Error("there is no signing key");
  const goneAt = (index: number) => (inOrder[index + 1]?.from ?? Infinity) + lifeSeconds * 1_000;
  return {
    current: (now) => (inOrder.findLast(({ from }) => from <= now.getTime()) ?? first).key,
    published: (now) => inOrder.filter((_, index) => now.getTime() < goneAt(index)).map(({ open }) => open),
  };
}
