import type { LiveDatabase, TenantId } from "@carillon/domain";
import {
  contentGraceMs,
  type Database,
  type EventLog,
  type Position,
  partitionOf,
  type References,
  routeOf,
} from "@carillon/platform";

/**
 * Asks the read model of submissions which content they refer to. Throws where it is so far behind that it may
 * not know of content which is old enough to be collected.
 *
 * @param now by the clock that the collector goes by
 */
export const contentReferences =
  (database: Database<LiveDatabase>, eventLog: EventLog, now: () => Date): References =>
  async (tenantId, digests) => {
    const { value, asOf } = await database.read(tenantId, { projection: "submissions" }, (tx) =>
      tx
        .selectFrom("submissions.content_references")
        .select("sha256")
        .where("sha256", "in", digests)
        .where("references", ">", 0)
        .execute(),
    );
    const mustKnowUntil = now().getTime() - contentGraceMs / 2;
    if (asOf.at === null || Date.parse(asOf.at) < mustKnowUntil) {
      const after = asOf.position === null ? undefined : BigInt(asOf.position);
      const missing = await firstAfter(eventLog, tenantId, after);
      if (missing !== undefined && missing < mustKnowUntil) {
        throw new Error("the read model of submissions is too far behind to say what content is needed");
      }
    }
    return new Set(value.map(({ sha256 }) => sha256));
  };

/** When the first event after `after` was written that goes through the same projector as this tenant's. */
async function firstAfter(
  eventLog: EventLog,
  tenantId: TenantId,
  after: Position | undefined,
): Promise<number | undefined> {
  const partition = partitionOf(tenantId);
  for await (const event of eventLog.readAll(after)) {
    if (routeOf(event)?.partition === partition) return Date.parse(event.created);
  }
  return undefined;
}
