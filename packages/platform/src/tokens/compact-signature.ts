import { Buffer } from "node:buffer";
import { createPrivateKey, type KeyObject, sign } from "node:crypto";
import type { SigningKey } from "./signing-keys.ts";

/**
 * Signs a value as a compact JWS (RFC 7515) with Ed25519 (RFC 8037). The same value under the same key is the same
 * text. Not by jose: WebCrypto takes four times as long, and this is most of what a refresh costs.
 *
 * @param typ what kind of thing is signed, so that none can be taken for another
 */
export function signCompact(key: SigningKey, typ: string, payload: unknown): string {
  const header = base64url({ alg: "EdDSA", kid: key.kid, typ });
  const text = `${header}.${base64url(payload)}`;
  return `${text}.${sign(null, Buffer.from(text), imported(key)).toString("base64url")}`;
}

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

const known = new WeakMap<SigningKey, KeyObject>();

function imported(key: SigningKey): KeyObject {
  let object = known.get(key);
  if (!object) {
    object = createPrivateKey({ key, format: "jwk" });
    known.set(key, object);
  }
  return object;
}
