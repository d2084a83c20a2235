import { Buffer } from "node:buffer";
import { generateKeyPairSync } from "node:crypto";
import { type Actor, type Role, SessionId, type TenantId } from "@carillon/domain";
import { type SigningKey, signAccessToken } from "@carillon/platform";

/** A new key that signs tokens or receipts. */
export function newSigningKey(kid: string): SigningKey {
  const { privateKey } = generateKeyPairSync("ed25519");
  return { ...privateKey.export({ format: "jwk" }), kid, alg: "EdDSA" } as SigningKey;
}

/** A token as the operator's command line makes it. */
export const operatorToken = (key: SigningKey, tid: TenantId | null) =>
  tokenFor(key, "system:operator", tid, ["operator"]);

/** A token that was signed at `now`. */
export const tokenFor = (
  key: SigningKey,
  sub: Actor,
  tid: TenantId | null,
  roles: Role[],
  now = new Date(),
) => signAccessToken(key, { sub, tid, roles, sid: "test", region: "eu-west" }, now);

/** The session that a refresh token belongs to. */
export const sessionOf = ({ accessToken }: { accessToken: string }): SessionId =>
  SessionId.parse(JSON.parse(Buffer.from(accessToken.split(".")[1] ?? "", "base64url").toString()).sid);
