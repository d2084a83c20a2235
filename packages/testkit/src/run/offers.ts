import type { DatabaseUrls, WorkerSecrets } from "@carillon/launcher";
import type { Runtime } from "@carillon/platform";

/** What test files ask of the servers that are started once a run. */
export interface Offers {
  /** Three migrated, empty databases: their addresses for the owner. */
  "/databases": DatabaseUrls;
  /** The address of an empty JetStream. */
  "/nats": string;
  /** The address of the event-store node that all share: write and read your own school's streams, follow nothing. */
  "/event-store": string;
  /** A whole platform that all share: use a school of your own, kill nothing. */
  "/platform": SharedPlatform;
  /** The same as `carillon up` runs it in a folder, for whole-platform tests. */
  "/started-platform": StartedPlatform;
}

/** A platform that `carillon up` runs. */
export interface StartedPlatform {
  /** Its folder. */
  readonly data: string;
  /** The gateway's address. */
  readonly url: string;
}

/** Addresses and keys of the shared platform. */
export interface SharedPlatform {
  readonly eventstoreUrl: string;
  readonly natsUrl: string;
  readonly databaseUrls: DatabaseUrls;
  readonly secrets: Pick<WorkerSecrets, "AUTH_SIGNING_KEYS" | "RECEIPT_SIGNING_KEYS" | "REFRESH_TOKEN_KEY">;
  /** The workers that clients reach, on each runtime. */
  readonly urls: Readonly<Record<Runtime, Readonly<Record<ClientWorker, string>>>>;
}

/** The workers that clients reach; the others work for all of them. */
export const clientWorkers = ["auth", "api", "reports", "gateway"] as const;
export type ClientWorker = (typeof clientWorkers)[number];
