/** What the baseline and the processes that drive it agree on. */
import { createHash } from "node:crypto";

/** Somebody's session token. It is opaque and looked up by its digest; that it can be guessed costs the same. */
export const baselineToken = ({ studentId }: { readonly studentId: string }): string =>
  `session-${studentId}`;

export const tokenDigest = (token: string): Buffer => createHash("sha256").update(token).digest();

/** What the student gets: the number of the submission and its digest. */
export const confirmationOf = (id: string, sha256: string): string => `${id}.${sha256}`;

export const digestInConfirmation = (confirmation: string): string => confirmation.split(".")[1] ?? "";
