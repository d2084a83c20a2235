import { pbkdf2Sync, randomUUID, timingSafeEqual } from "node:crypto";
import * as argon2 from "@node-rs/argon2";
import * as bcrypt from "@node-rs/bcrypt";

/** Memory in KiB, passes and lanes of our own hashes: OWASP's recommendation for argon2id, the library's default. */
export const ownParameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** What a stored hash says of itself: its cost, and what is needed to check it. */
export type StoredHash =
  | { readonly format: "argon2"; readonly newest: boolean; readonly parameters: typeof ownParameters }
  | { readonly format: "bcrypt"; readonly cost: number }
  | {
      readonly format: "pbkdf2";
      readonly digest: string;
      readonly iterations: number;
      readonly salt: Buffer;
      readonly key: Buffer;
    };

/**
 * Reads a stored hash: argon2 as PHC string, bcrypt (`$2a$`, `$2b$`, `$2y$`), PBKDF2 with SHA-256 or SHA-512 as PHC
 * string (`$pbkdf2-sha256$i=…`) or as passlib writes it (`$pbkdf2-sha256$29000$…`). Undefined for anything else.
 */
export function readHash(stored: string): StoredHash | undefined {
  return readArgon2(stored) ?? readBcrypt(stored) ?? readPbkdf2(stored);
}

/** A password as it is stored: argon2id with our own parameters. Computes on the calling thread. */
export const hashPassword = (password: string): string => argon2.hashSync(password, ownParameters);

/** `unreadable`: the stored hash is of no known format, or damaged, so that no password fits it. */
export type Verdict = "fits" | "differs" | "unreadable";

/**
 * Checks a password against a stored hash, on the calling thread. Does as much work as for a hash of our own where
 * there is none (null) or it cannot be read, so that nobody learns from the time who has an account.
 */
export function checkPassword(stored: string | null, password: string): Verdict {
  if (stored === null) {
    checkForNobody(password);
    return "differs";
  }
  try {
    const hash = readHash(stored);
    if (hash) return fits(hash, stored, password) ? "fits" : "differs";
  } catch {
    // The libraries throw at what they cannot parse.
  }
  checkForNobody(password);
  return "unreadable";
}

function fits(hash: StoredHash, stored: string, password: string): boolean {
  switch (hash.format) {
    case "argon2":
      return argon2.verifySync(stored, password);
    case "bcrypt":
      return bcrypt.verifySync(password, stored);
    case "pbkdf2": {
      const { salt, iterations, key, digest } = hash;
      return timingSafeEqual(key, pbkdf2Sync(password, salt, iterations, key.length, digest));
    }
  }
}

// Nobody knows its password, not even we.
let nobodysHash: string | undefined;

function checkForNobody(password: string): void {
  nobodysHash ??= hashPassword(randomUUID());
  argon2.verifySync(nobodysHash, password);
}

function readArgon2(stored: string): StoredHash | undefined {
  if (!stored.startsWith("$argon2")) return undefined;
  try {
    const { memoryCost, timeCost, parallelism } = argon2.parseOptions(stored);
    const newest = stored.startsWith("$argon2id$v=19$");
    return { format: "argon2", newest, parameters: { memoryCost, timeCost, parallelism } };
  } catch {
    return undefined;
  }
}

function readBcrypt(stored: string): StoredHash | undefined {
  const cost = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(stored)?.[1];
  return cost === undefined ? undefined : { format: "bcrypt", cost: Number(cost) };
}

const pbkdf2 =
  /^\$pbkdf2-(?<digest>sha256|sha512)\$(?:i=)?(?<iterations>[1-9]\d{0,8})(?:,l=(?<length>\d{1,3}))?\$(?<salt>[A-Za-z0-9+./]+)\$(?<key>[A-Za-z0-9+./]+)$/;

/** A shorter key would be met by chance; a longer one only costs time. */
const keyBytes = { min: 16, max: 64 };

function readPbkdf2(stored: string): StoredHash | undefined {
  const { digest, iterations, length, salt, key } = pbkdf2.exec(stored)?.groups ?? {};
  if (digest === undefined || salt === undefined || key === undefined) return undefined;
  const derived = fromBase64(key);
  if (derived.length < keyBytes.min || derived.length > keyBytes.max) return undefined;
  if (length !== undefined && Number(length) !== derived.length) return undefined;
  return { format: "pbkdf2", digest, iterations: Number(iterations), salt: fromBase64(salt), key: derived };
}

/** passlib writes "." for "+". */
const fromBase64 = (text: string) => Buffer.from(text.replaceAll(".", "+"), "base64");
