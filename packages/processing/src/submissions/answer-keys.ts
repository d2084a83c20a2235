import { type AnswerKey, type AssignmentId, assignmentDecider, type TenantId } from "@carillon/domain";
import type { EventLog } from "@carillon/platform";
import { LRUCache } from "lru-cache";

const kept = 1_000;

/**
 * The answer keys of assignments, from the log. A key stays what it was when the assignment was published, so the
 * last ones are kept in memory. Null for an assignment without one, undefined where there is no such assignment.
 */
export function openAnswerKeys(eventLog: EventLog) {
  const keys = new LRUCache<AssignmentId, { readonly key: AnswerKey | null }>({ max: kept });
  return async (tenantId: TenantId, assignmentId: AssignmentId): Promise<AnswerKey | null | undefined> => {
    const known = keys.get(assignmentId);
    if (known) return known.key;
    const { state } = await eventLog.load(assignmentDecider, tenantId, assignmentId);
    if (!state) return undefined;
    const key = state.profile.answerKey;
    keys.set(assignmentId, { key });
    return key;
  };
}
