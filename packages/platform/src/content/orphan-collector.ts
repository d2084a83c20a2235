import type { TenantId } from "@carillon/domain";
import type { ContentStore, StoredContent } from "./content-store.ts";

/**
 * Which of these digests something refers to. It has to throw where it cannot know everything that was appended to the log
 * until half the grace time ago, as while a projection is far behind: what it does not name is deleted.
 */
export type References = (tenantId: TenantId, digests: string[]) => Promise<ReadonlySet<string>>;

const batchSize = 500;

/**
 * Deletes content that nothing refers to and that was stored last more than `graceMs` (`contentGraceMs`) before `now`, and what storings left
 * behind that broke off. `deleted` counts content. Safe beside everything else: see decision 10.
 */
export async function collectOrphans(
  content: ContentStore,
  references: References,
  now: Date,
  { graceMs }: { graceMs: number },
): Promise<{ kept: number; deleted: number }> {
  const before = new Date(now.getTime() - graceMs);
  const old = new Map<TenantId, StoredContent[]>();
  const count = { kept: 0, deleted: 0 };

  const settle = async (tenantId: TenantId) => {
    const batch = old.get(tenantId) ?? [];
    old.delete(tenantId);
    const referred = await references(
      tenantId,
      batch.map(({ sha256 }) => sha256),
    );
    for (const stored of batch) {
      const deleted = !referred.has(stored.sha256) && (await content.delete(stored));
      count[deleted ? "deleted" : "kept"]++;
    }
  };

  for await (const stored of content.list()) {
    if (stored.storedAt >= before) {
      count.kept++;
      continue;
    }
    const batch = old.get(stored.tenantId) ?? [];
    old.set(stored.tenantId, batch);
    if (batch.push(stored) >= batchSize) await settle(stored.tenantId);
  }
  for (const tenantId of old.keys()) await settle(tenantId);
  await content.discardUnfinished(before);
  return count;
}
