import { AssignmentId, Instant, SubmissionKey, TenantId, UserId } from "@carillon/domain";
import { compactVerify, createLocalJWKSet, type JSONWebKeySet } from "jose";
import { z } from "zod";
import { signCompact } from "./compact-signature.ts";
import type { SigningKey } from "./signing-keys.ts";

/** What a receipt says: this content was handed in by this student, and stands at this place in the log. */
export const Receipt = z.object({
  tenantId: TenantId,
  assignmentId: AssignmentId,
  studentId: UserId,
  key: SubmissionKey,
  sha256: z.string(),
  committedAt: Instant,
  receivedAt: Instant.nullable(),
  stream: z.string(),
  /** Of the commit. */
  revision: z.int().min(0),
  /**
   * Of the append that the commit came in: of its last event, which is the content's arrival where that came in the same
   * request. Decimal digits: it may be greater than a JSON number can be.
   */
  position: z.string().regex(/^\d+$/),
});
export type Receipt = z.infer<typeof Receipt>;

/** Signs a receipt (JWS, compact, EdDSA). The same receipt under the same key is the same text, always. */
export const signReceipt = (key: SigningKey, receipt: Receipt): string =>
  signCompact(key, "receipt+jws", Receipt.parse(receipt));

/** Reads a receipt that one of `keys` signed. Throws jose's `JOSEError` for any other, or a `ZodError`. */
export async function verifyReceipt(receipt: string, keys: JSONWebKeySet): Promise<Receipt> {
  const { payload } = await compactVerify(receipt, createLocalJWKSet(keys), { algorithms: ["EdDSA"] });
  return Receipt.parse(JSON.parse(new TextDecoder().decode(payload)));
}
