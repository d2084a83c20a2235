import { CarillonError, Instant, instantOf, SubmissionId, TenantId } from "@carillon/domain";
import { type ContentStore, type ExpectedContent, type SigningKey, signedTokens } from "@carillon/platform";
import { z } from "zod";
import type { UploadPace } from "./upload-pace.ts";

/** What is said of content that comes too late. @param receipt of the commit, where it is at hand */
export const submissionLapsed = (receipt?: string): CarillonError =>
  new CarillonError(
    "submission_lapsed",
    "The content did not come in time, so this submission has lapsed: hand in again under a new key.",
    receipt === undefined ? {} : { receipt },
  );

/** Content that was committed and has not come. */
export interface AwaitedContent extends ExpectedContent {
  readonly tenantId: TenantId;
  readonly submissionId: SubmissionId;
  readonly uploadBy: Instant;
}

/** Where and when to send content. */
export interface UploadAddress {
  /** `/uploads/<id>` at the gateway; an absolute address is a store's own, and `submissions.received` has to follow. */
  readonly url: string;
  /** `tus` is tus 1.0, `PATCH` after `PATCH`; `put` is one `PUT` of everything. */
  readonly protocol: "tus" | "put";
  readonly headers: Readonly<Record<string, string>>;
  /** When it is this upload's turn. */
  readonly notBefore: Instant;
  /** The same in milliseconds from now: a client's clock may be wrong. */
  readonly waitMs: number;
  readonly expiresAt: Instant;
}

/** Gives uploads their signed addresses, and reads them again. */
export interface UploadAddresses {
  /** @param isNew whether the content was not awaited before: what is new takes a turn of its own */
  offer(awaited: AwaitedContent, isNew: boolean): Promise<UploadAddress>;
  /** What the upload of this id is for; undefined for an id that we did not sign. */
  read(id: string): AwaitedContent | undefined;
}

const AwaitedContent = z.object({
  tenantId: TenantId,
  submissionId: SubmissionId,
  sha256: z.string(),
  bytes: z.int(),
  uploadBy: Instant,
});

/**
 * Addresses whose ids are signed tokens that say everything. A client that has the id can send that content and nothing
 * else, and the same content has the same id.
 *
 * @param keys the keys of receipts. The oldest signs ids, since workers that are not restarted yet know no newer one; any
 * knows its own again
 */
export function uploadAddresses(
  keys: readonly SigningKey[],
  objects: Pick<ContentStore, "presignedPut">,
  pace: UploadPace,
): UploadAddresses {
  const tokens = signedTokens(AwaitedContent, { purpose: "upload", keys: keys.map(({ d = "" }) => d) });

  return {
    async offer(awaited, isNew) {
      const { tenantId, uploadBy, bytes } = awaited;
      const waitMs = isNew ? pace.promise(bytes) : pace.wait();
      const direct = await objects.presignedPut(tenantId, awaited, new Date(uploadBy));
      return {
        url: direct?.url ?? `/uploads/${tokens.make(awaited)}`,
        protocol: direct ? "put" : "tus",
        headers: direct?.headers ?? {},
        notBefore: instantOf(new Date(Date.now() + waitMs)),
        waitMs,
        expiresAt: uploadBy,
      };
    },
    read: (id) => tokens.read(id),
  };
}
