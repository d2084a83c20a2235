import { Buffer } from "node:buffer";
import { createHash, randomUUID } from "node:crypto";
import { CarillonError, type TenantId } from "@carillon/domain";
import { isYoung } from "./content-age.ts";
import type { ContentStore } from "./content-store.ts";
import { checked, type ExpectedContent, streamOf } from "./content-stream.ts";
import { openS3, type S3Bucket } from "./s3-bucket.ts";

/** S3 says in a listing and in a header when an object was stored, to the second or finer. */
const roundingMs = 1_000;

/** Keeps content in one bucket of an S3, under `<tenant>/<sha256>`. */
export function contentInS3(url: string): ContentStore {
  const bucket = openS3(url);
  let checksDigests: Promise<boolean> | undefined;

  const store: ContentStore = {
    put: (tenantId, sha256, content) =>
      store.putStream(tenantId, { sha256, bytes: content.length }, streamOf(content)),
    async putStream(tenantId, expected, content) {
      const key = `${tenantId}/${expected.sha256}`;
      const modifiedAt = await bucket.modifiedAt(key);
      const pieces = checked(expected, content);
      if (!modifiedAt || !isYoung(modifiedAt)) return bucket.put(key, expected, pieces);
      // A client that names a digest has to have the content.
      for await (const _ of pieces);
    },
    async get(tenantId, sha256) {
      const stream = await bucket.open(`${tenantId}/${sha256}`);
      return stream && new Response(stream).bytes();
    },
    open: (tenantId, sha256) => bucket.open(`${tenantId}/${sha256}`),
    async has(tenantId, sha256, since = new Date(0)) {
      const modifiedAt = await bucket.modifiedAt(`${tenantId}/${sha256}`);
      return modifiedAt !== undefined && modifiedAt.getTime() + roundingMs > since.getTime();
    },
    async presignedPut(tenantId, expected, expiresAt) {
      checksDigests ??= refusesWrongDigest(bucket);
      const trusted = await checksDigests.catch((error: unknown) => {
        checksDigests = undefined;
        throw error;
      });
      if (!trusted) return undefined;
      return bucket.presignPut(`${tenantId}/${expected.sha256}`, expected, expiresAt);
    },
    async *list() {
      for await (const { key, bytes, modifiedAt } of bucket.list()) {
        const [, tenantId, sha256] = /^([0-9a-f-]{36})\/([0-9a-f]{64})$/.exec(key) ?? [];
        if (!tenantId || !sha256) continue;
        const version = modifiedAt.toISOString();
        yield { tenantId: tenantId as TenantId, sha256, bytes, storedAt: modifiedAt, version };
      }
    },
    async delete({ tenantId, sha256, storedAt }) {
      const key = `${tenantId}/${sha256}`;
      const modifiedAt = await bucket.modifiedAt(key);
      if (!modifiedAt || modifiedAt.getTime() - storedAt.getTime() > roundingMs) return false;
      await bucket.delete(key);
      return true;
    },
    // An object of S3 is there as a whole or not at all.
    discardUnfinished: () => Promise.resolve(0),
  };
  return store;
}

/**
 * Whether S3 checks what a client sends by itself: tried once, with content that does not have its digest. Older
 * servers take `x-amz-checksum-sha256` and do not look at it; a client must not write there without us.
 */
async function refusesWrongDigest(bucket: S3Bucket): Promise<boolean> {
  const key = `probe/${randomUUID()}`;
  const right = Buffer.from("right");
  const wrong = Buffer.from("wrong");
  const expected: ExpectedContent = {
    sha256: createHash("sha256").update(right).digest("hex"),
    bytes: right.length,
  };
  const { url, headers } = await bucket.presignPut(key, expected, new Date(Date.now() + 60_000));
  const put = async (body: Uint8Array<ArrayBuffer>) => {
    const answer = await fetch(url, { method: "PUT", headers, body });
    await answer.body?.cancel();
    return answer.ok;
  };
  try {
    const takesWrong = await put(wrong);
    return !takesWrong && (await put(right));
  } catch (cause) {
    throw new CarillonError("unavailable", "The content store cannot be reached: try again.", { cause });
  } finally {
    await bucket.delete(key);
  }
}
