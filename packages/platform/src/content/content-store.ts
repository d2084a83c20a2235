import type { TenantId } from "@carillon/domain";
import type { ExpectedContent } from "./content-stream.ts";

/** Content as a list of the store shows it. */
export interface StoredContent {
  readonly tenantId: TenantId;
  readonly sha256: string;
  readonly bytes: number;
  /** When it was stored last. */
  readonly storedAt: Date;
  /** The store's own mark of that storing. */
  readonly version: string;
}

/**
 * Content by its SHA-256 (64 hexadecimal digits), each tenant's apart and each kept once. What is stored again is young
 * again, so that a collector of old content leaves it alone. Every call throws `CarillonError` `unavailable` where the
 * store does not answer.
 */
export interface ContentStore {
  /** Stores content that is known to have this digest. */
  put(tenantId: TenantId, sha256: string, content: Uint8Array): Promise<void>;
  /**
   * Reads a stream to its end, checks it and stores it; of a large one never more than a few MiB are in memory. Throws
   * `content_missing` (empty or broken off), `content_too_large` or `content_digest_mismatch`; then nothing can be read.
   */
  putStream(
    tenantId: TenantId,
    expected: ExpectedContent,
    content: ReadableStream<Uint8Array>,
  ): Promise<void>;
  /** All of it in memory: for small content. Undefined for content that is not there. */
  get(tenantId: TenantId, sha256: string): Promise<Uint8Array | undefined>;
  /** As a stream, which errors where content is damaged. Undefined for content that is not there. */
  open(tenantId: TenantId, sha256: string): Promise<ReadableStream<Uint8Array> | undefined>;
  /** Whether it is there and, where that matters, was stored at `since` or later: on S3 to the second. */
  has(tenantId: TenantId, sha256: string, since?: Date): Promise<boolean>;
  /** Where a client can send content by itself, until `expiresAt`. Undefined where it has to come through us. */
  presignedPut(
    tenantId: TenantId,
    expected: ExpectedContent,
    expiresAt: Date,
  ): Promise<{ url: string; headers: Record<string, string> } | undefined>;
  /** Everything, of every tenant. */
  list(): AsyncIterable<StoredContent>;
  /** Deletes what a list showed, unless it was stored again since; says whether. */
  delete(content: StoredContent): Promise<boolean>;
  /** Removes what storings left behind that broke off before this time, and says of how many. */
  discardUnfinished(before: Date): Promise<number>;
}
