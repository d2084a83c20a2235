import type { ContentStore, Database, EventLog, LiveDatabase } from "@carillon/platform";
import type { HashPool } from "./hash-pool.ts";
import type { Procedures } from "./identity.ts";
import type { ReceiptKeys } from "./receipt-keys.ts";
import type { UploadSlots } from "./upload-slots.ts";

/** What the procedures of the worker `api` work with. */
export interface ApiServices extends Procedures {
  readonly eventLog: EventLog;
  readonly database: Database<LiveDatabase>;
  readonly objects: ContentStore;
  readonly hashPool: HashPool;
  readonly receiptKeys: ReceiptKeys;
  readonly uploadSlots: Pick<UploadSlots, "offer">;
}
