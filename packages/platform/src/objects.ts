import type { TenantId } from "@carillon/domain";
import type { ObjectStore as Bucket } from "nats";
import { keepBucket } from "./bucket.ts";
import type { Bus } from "./bus.ts";

/**
 * Content by its digest, each tenant's apart. Every call throws `CarillonError` `unavailable` where the store does
 * not answer.
 */
export interface ObjectStore {
  /** Stores content under its SHA-256 (hexadecimal). Content that is there already stays as it is. */
  put(tenantId: TenantId, sha256: string, content: Uint8Array): Promise<void>;
  /** Undefined for content that was never stored. */
  get(tenantId: TenantId, sha256: string): Promise<Uint8Array | undefined>;
}

/** Opens the content in a JetStream object store, which is made when it is first needed. */
export function openObjects(bus: Bus): ObjectStore {
  const withBucket = keepBucket<Bucket>("The content store", () => bus.jetstream().views.os("content"));
  return {
    put: (tenantId, sha256, content) =>
      withBucket(async (bucket) => {
        const name = nameOf(tenantId, sha256);
        const stored = await bucket.info(name);
        if (stored && !stored.deleted) return;
        await bucket.putBlob({ name }, content);
      }),
    get: (tenantId, sha256) =>
      withBucket(async (bucket) => (await bucket.getBlob(nameOf(tenantId, sha256))) ?? undefined),
  };
}

const nameOf = (tenantId: TenantId, sha256: string) => `${tenantId}/${sha256}`;
