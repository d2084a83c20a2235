import process from "node:process";
import { Instant } from "@carillon/domain";
import { z } from "zod";

/** Thrown at start where a setting is missing or wrong. The message names every such setting, never a value. */
export class SettingsError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SettingsError";
  }
}

/** The exit code of a program that cannot start with its settings (`EX_CONFIG` of sysexits.h): restarting does not help. */
export const exitCodeForSettings = 78;

const url = (protocols: string, example: string) =>
  z.string().regex(new RegExp(`^(?:${protocols})://`), `must be an address such as ${example}`);

const privateKey = z.object(
  {
    kty: z.literal("OKP"),
    crv: z.literal("Ed25519"),
    x: z.string(),
    d: z.string(),
    kid: z.string().min(1).max(128),
    alg: z.literal("EdDSA").default("EdDSA"),
    signsFrom: Instant.optional(),
  },
  "must be private Ed25519 keys as JWKs, each with a kid",
);

const privateKeys = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue({ code: "custom", message: "must be JSON" });
      return z.NEVER;
    }
  })
  .pipe(
    z
      .array(privateKey, "must be a list of keys")
      .min(1, "must have a key")
      .refine(
        (keys) => new Set(keys.map(({ kid }) => kid)).size === keys.length,
        "must not name a kid twice",
      ),
  );

/** Every setting that there is, each with what it must look like. */
export const settings = {
  /** The event log. */
  EVENTSTORE_URL: url("esdb|esdb\\+discover|kdb|kurrentdb", "esdb://127.0.0.1:2113?tls=false"),
  /** The event bus. */
  NATS_URL: url("nats|tls", "nats://127.0.0.1:4222"),
  /** The live read models. */
  DATABASE_URL: url("postgres|postgresql", "postgres://carillon_reader@127.0.0.1/carillon_live"),
  /** What a login reads. */
  AUTH_DATABASE_URL: url("postgres|postgresql", "postgres://carillon_reader@127.0.0.1/carillon_auth"),
  /** What a report reads. */
  REPORTS_DATABASE_URL: url("postgres|postgresql", "postgres://carillon_reader@127.0.0.1/carillon_reports"),
  /** Where content is kept: an S3 with its credentials, percent-encoded. Without it in JetStream. */
  OBJECTS_URL: url(
    "s3|s3\\+http",
    "s3://KEY:SECRET@s3.eu-west-1.amazonaws.com/BUCKET?region=eu-west-1",
  ).optional(),
  /** The projections that a projector runs, by name, separated by commas. */
  PROJECTIONS: z.string().regex(/^[a-z_]+(,[a-z_]+)*$/, "must be names separated by commas"),
  /** Sign access tokens, one after another. */
  AUTH_SIGNING_KEYS: privateKeys,
  /** Where the public keys of access tokens are. */
  AUTH_JWKS_URL: url("https?", "http://127.0.0.1:7001/.well-known/jwks.json"),
  /** Makes refresh tokens: 32 random bytes. */
  REFRESH_TOKEN_KEY: z.base64url().length(43, "must be 32 bytes as base64url without padding"),
  /** Sign receipts, one after another. */
  RECEIPT_SIGNING_KEYS: privateKeys,
  /** The workers behind the gateway. */
  AUTH_URL: url("https?", "http://127.0.0.1:7001"),
  API_URL: url("https?", "http://127.0.0.1:7002"),
  REPORTS_URL: url("https?", "http://127.0.0.1:7003"),
} as const;

export type SettingName = keyof typeof settings;
export type Settings<Name extends SettingName> = { [N in Name]: z.output<(typeof settings)[N]> };

/**
 * Reads the named settings from the environment. Throws `SettingsError` that names what is missing or wrong.
 *
 * @example
 * ```ts
 * const { NATS_URL } = readSettings("NATS_URL");
 * ```
 */
export function readSettings<Name extends SettingName>(...names: Name[]): Settings<Name> {
  const found: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const name of names) {
    const text = process.env[name];
    if (text === undefined || text === "") {
      if (!settings[name].safeParse(undefined).success) problems.push(`${name} is missing`);
      continue;
    }
    const parsed = settings[name].safeParse(text);
    if (parsed.success) found[name] = parsed.data;
    else problems.push(`${name} ${parsed.error.issues[0]?.message ?? "is wrong"}`);
  }
  if (problems.length > 0) throw new SettingsError(`settings: ${problems.join("; ")}`);
  return found as Settings<Name>;
}

/** Reads settings at the start of a program; prints what is wrong and ends it with `exitCodeForSettings`. */
export function settingsOrExit<Name extends SettingName>(...names: Name[]): Settings<Name> {
  try {
    return readSettings(...names);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(exitCodeForSettings);
  }
}
