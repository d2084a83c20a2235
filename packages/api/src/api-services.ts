import type { LiveDatabase } from "@carillon/domain";
import type { ContentStore, Database, EventLog } from "@carillon/platform";
import type { Procedures } from "./http/authenticated-procedures.ts";
import type { HashPool } from "./login/passwords/hash-pool.ts";
import type { ReceiptKeys } from "./receipts/receipt-keys.ts";
import type { UploadAddresses } from "./uploads/upload-addresses.ts";

/** What the procedures of the worker `api` work with. */
export interface ApiServices extends Procedures {
  readonly eventLog: EventLog;
  readonly database: Database<LiveDatabase>;
  readonly objects: ContentStore;
  readonly hashPool: HashPool;
  readonly receiptKeys: ReceiptKeys;
  readonly uploadAddresses: Pick<UploadAddresses, "offer">;
}
