import type { Database, EventLog, LiveDatabase, ObjectStore, SigningKey } from "@carillon/platform";
import type { Procedures } from "./identity.ts";

/** What the procedures of the worker `api` work with. */
export interface ApiServices extends Procedures {
  readonly eventLog: EventLog;
  readonly database: Database<LiveDatabase>;
  readonly objects: ObjectStore;
  readonly receiptKey: SigningKey;
}
