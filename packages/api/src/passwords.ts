import { hash, verify } from "@node-rs/argon2";
import { z } from "zod";

/** A new password. */
export const NewPassword = z.string().min(8, "use at least 8 characters").max(1024);

/** Memory in KiB, passes and lanes: OWASP's recommendation for argon2id, the library's default algorithm. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** A password as it is stored: a PHC string, `$argon2id$…`. */
export const hashPassword = (password: string): Promise<string> => hash(password, parameters);

// Nobody knows its password, not even we.
const nobodysHash = hashPassword(crypto.randomUUID());

/** Whether a password fits a hash. Takes as long where there is none, so that nobody learns who has an account. */
export async function verifyPassword(stored: string | null, password: string): Promise<boolean> {
  const fits = await verify(stored ?? (await nobodysHash), password);
  return fits && stored !== null;
}
