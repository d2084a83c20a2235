import { type ErrorCode, maxPasswordLength, minPasswordLength } from "@carillon/domain";
import { z } from "zod";
import { ownParameters, readHash } from "./formats.ts";

/** A password as somebody types it, right or wrong. */
export const Password = z.string().min(1).max(maxPasswordLength);

/** A new password. */
export const NewPassword = z
  .string()
  .min(minPasswordLength, `use at least ${minPasswordLength} characters`)
  .max(maxPasswordLength);

/**
 * Whether a stored hash is to be replaced when its password is known, at a login: whatever is not argon2id, or costs
 * less to guess than ours. A stronger one stays as it is. What guessing costs is taken as area × time, memory² × passes
 * (Biryukov, Dinu, Khovratovich: "Argon2", section 2.2).
 */
export function needsUpgrade(stored: string): boolean {
  const hash = readHash(stored);
  if (hash?.format !== "argon2" || !hash.newest) return true;
  return costToGuess(hash.parameters) < costToGuess(ownParameters);
}

const costToGuess = ({ memoryCost, timeCost }: typeof ownParameters) => memoryCost ** 2 * timeCost;

/** The most that an imported hash may cost, about a second of one core, so that an import cannot stop the logins. */
const most = { memoryKiB: 256 * 1024, passes: 10, lanes: 4, bcryptCost: 14, iterations: 2_000_000 };

function isSupported(stored: string): boolean {
  const hash = readHash(stored);
  switch (hash?.format) {
    case "argon2": {
      const { memoryCost, timeCost, parallelism } = hash.parameters;
      return memoryCost <= most.memoryKiB && timeCost <= most.passes && parallelism <= most.lanes;
    }
    case "bcrypt":
      return hash.cost >= 4 && hash.cost <= most.bcryptCost;
    case "pbkdf2":
      return hash.iterations <= most.iterations;
    case undefined:
      return false;
  }
}

/** A password's hash from another system: see `readHash` for the formats. Refused as `password_hash_unsupported`. */
export const ImportedPasswordHash = z
  .string()
  .max(512)
  .refine(isSupported, {
    error:
      "use argon2 (at most m=262144, t=10, p=4), bcrypt (at most cost 14) or PBKDF2 (at most 2,000,000 iterations) " +
      "as a PHC or passlib string",
    params: { errorCode: "password_hash_unsupported" satisfies ErrorCode },
  });
