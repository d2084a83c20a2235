import { tenantDecider, tenantIdOf } from "@carillon/domain";
import type { EventLog } from "@carillon/platform";

// No slug has a space: nobody ever writes this stream.
const nobody = tenantIdOf(" ");

/** Resolves if the event log answers. */
export async function eventLogAnswers(eventLog: EventLog): Promise<void> {
  await eventLog.load(tenantDecider, nobody, nobody);
}
