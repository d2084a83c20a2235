import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { readSetting } from "./read-setting.ts";
import { writePrivately } from "./write-privately.ts";

/** What one platform keeps to itself, made once for its folder. Keys are private Ed25519 JWKs as JSON. */
const Secrets = z.object({
  AUTH_SIGNING_KEY: z.string(),
  RECEIPT_SIGNING_KEY: z.string(),
  /** 32 bytes as base64url. */
  REFRESH_TOKEN_KEY: z.string(),
  /** Of the database roles `postgres`, `carillon_owner`, `carillon_projector` and `carillon_reader`. */
  superuserPassword: z.string(),
  ownerPassword: z.string(),
  projectorPassword: z.string(),
  readerPassword: z.string(),
});
export type Secrets = z.infer<typeof Secrets>;

const overridable = ["AUTH_SIGNING_KEY", "RECEIPT_SIGNING_KEY", "REFRESH_TOKEN_KEY"] as const;

/**
 * The secrets of the platform in this folder, made at first and kept in `secrets.json` (readable by its owner
 * alone). `AUTH_SIGNING_KEY`, `RECEIPT_SIGNING_KEY` and `REFRESH_TOKEN_KEY` of the environment win, unsaved.
 *
 * Throws `SettingsError` if one of these is wrong.
 */
export function secretsOf(folder: string, env: NodeJS.ProcessEnv): Secrets {
  const file = join(folder, "secrets.json");
  if (!existsSync(file)) writePrivately(file, newSecrets());
  const secrets = Secrets.parse(JSON.parse(readFileSync(file, "utf8")));
  for (const name of overridable) {
    const text = env[name];
    if (text && readSetting(env, name)) secrets[name] = text;
  }
  return secrets;
}

const newSecrets = (): Secrets => ({
  AUTH_SIGNING_KEY: newSigningKey(),
  RECEIPT_SIGNING_KEY: newSigningKey(),
  REFRESH_TOKEN_KEY: newKey(),
  superuserPassword: newKey(),
  ownerPassword: newKey(),
  projectorPassword: newKey(),
  readerPassword: newKey(),
});

const newKey = () => randomBytes(32).toString("base64url");

/** The key's id is its thumbprint: SHA-256 over the public members in this order (RFC 7638, RFC 8037). */
function newSigningKey(): string {
  const { kty, crv, x, d } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  const kid = createHash("sha256").update(JSON.stringify({ crv, kty, x })).digest("base64url");
  return JSON.stringify({ kty, crv, x, d, kid, alg: "EdDSA" });
}
