import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SigningKey } from "@carillon/platform";
import { z } from "zod";
import { readSetting } from "./read-setting.ts";
import { writePrivately } from "./write-privately.ts";

/** What one platform keeps to itself, made once for its folder. Keys are private Ed25519 JWKs as JSON. */
const Secrets = z.object({
  AUTH_SIGNING_KEYS: z.string(),
  RECEIPT_SIGNING_KEYS: z.string(),
  /** 32 bytes as base64url. */
  REFRESH_TOKEN_KEY: z.string(),
  /** Of the database roles `postgres`, `carillon_owner`, `carillon_projector` and `carillon_reader`. */
  superuserPassword: z.string(),
  ownerPassword: z.string(),
  projectorPassword: z.string(),
  readerPassword: z.string(),
});
export type Secrets = z.infer<typeof Secrets>;

/** Folders that were made before keys could be rotated have one key of each kind. */
const OneKeyEach = z.looseObject({ AUTH_SIGNING_KEY: z.string(), RECEIPT_SIGNING_KEY: z.string() });

const overridable = ["AUTH_SIGNING_KEYS", "RECEIPT_SIGNING_KEYS", "REFRESH_TOKEN_KEY"] as const;

const fileIn = (folder: string) => join(folder, "secrets.json");

/**
 * The secrets of the platform in this folder, made at first and kept in `secrets.json` (readable by its owner
 * alone). `AUTH_SIGNING_KEYS`, `RECEIPT_SIGNING_KEYS` and `REFRESH_TOKEN_KEY` of the environment win, unsaved.
 *
 * Throws `SettingsError` if one of these is wrong.
 */
export function secretsOf(folder: string, env: NodeJS.ProcessEnv): Secrets {
  if (!existsSync(fileIn(folder))) keepSecrets(folder, newSecrets());
  const secrets = keptSecrets(folder);
  for (const name of overridable) {
    const text = env[name];
    if (text && readSetting(env, name)) secrets[name] = text;
  }
  return secrets;
}

/** What `secrets.json` in this folder says. Throws if there is none. */
export function keptSecrets(folder: string): Secrets {
  const found: unknown = JSON.parse(readFileSync(fileIn(folder), "utf8"));
  const old = OneKeyEach.safeParse(found);
  if (!old.success) return Secrets.parse(found);
  const { AUTH_SIGNING_KEY, RECEIPT_SIGNING_KEY, ...others } = old.data;
  const secrets = Secrets.parse({
    ...others,
    AUTH_SIGNING_KEYS: `[${AUTH_SIGNING_KEY}]`,
    RECEIPT_SIGNING_KEYS: `[${RECEIPT_SIGNING_KEY}]`,
  });
  keepSecrets(folder, secrets);
  return secrets;
}

/** Replaces `secrets.json` in this folder. */
export const keepSecrets = (folder: string, secrets: Secrets): void =>
  writePrivately(fileIn(folder), secrets);

const newSecrets = (): Secrets => ({
  AUTH_SIGNING_KEYS: JSON.stringify([newSigningKey()]),
  RECEIPT_SIGNING_KEYS: JSON.stringify([newSigningKey()]),
  REFRESH_TOKEN_KEY: newKey(),
  superuserPassword: newKey(),
  ownerPassword: newKey(),
  projectorPassword: newKey(),
  readerPassword: newKey(),
});

const newKey = () => randomBytes(32).toString("base64url");

/** A new key. Its id is its thumbprint: SHA-256 over the public members in this order (RFC 7638, RFC 8037). */
export function newSigningKey(): SigningKey {
  const { kty, crv, x, d } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  const kid = createHash("sha256").update(JSON.stringify({ crv, kty, x })).digest("base64url");
  return { kty, crv, x, d, kid, alg: "EdDSA" } as SigningKey;
}
