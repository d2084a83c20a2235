import type { LiveDatabase } from "@carillon/domain";
import {
  accessTokenVerifier,
  connectBus,
  connectDatabase,
  connectEventLog,
  createLogger,
  createMetrics,
  openContent,
  safeRoleOrExit,
  settingsOrExit,
} from "@carillon/platform";
import { procedures } from "../http/authenticated-procedures.ts";
import { eventLogAnswers } from "../http/event-log-probe.ts";
import { trpcApp } from "../http/trpc-app.ts";
import { worker } from "../http/worker.ts";
import { openHashPool } from "../login/passwords/hash-pool.ts";
import { accessMemoryMs, followRevocations } from "../login/revocations.ts";
import { openReceiptKeys } from "../receipts/receipt-keys.ts";
import { receiptRoute } from "../receipts/receipt-route.ts";
import { contentRoute } from "../submissions/download-route.ts";
import { uploadAddresses } from "../uploads/upload-addresses.ts";
import { uploadPace } from "../uploads/upload-pace.ts";
import { openUploadParts } from "../uploads/upload-parts.ts";
import { uploadRoutes } from "../uploads/upload-routes.ts";
import { openUploads } from "../uploads/uploads.ts";
import { apiTree } from "./api-tree.ts";
import { manifests } from "./manifests.ts";

/** The classroom: people, classes, assignments and submissions. */

const { EVENTSTORE_URL, NATS_URL, DATABASE_URL, AUTH_JWKS_URL, RECEIPT_SIGNING_KEYS, OBJECTS_URL } =
  settingsOrExit(...manifests.api.settings);

const log = createLogger("api");
const metrics = createMetrics("api");
const database = connectDatabase<LiveDatabase>(DATABASE_URL, { name: "api", maxConnections: 10 });
await safeRoleOrExit(() => database.assertOwnsAndBypassesNothing());
const eventLog = connectEventLog(EVENTSTORE_URL);
const bus = await connectBus(NATS_URL, "api");
const hashPool = openHashPool({ metrics, log, width: manifests.api.threads.count });

const revocations = await followRevocations(bus, { keepMs: accessMemoryMs });
const receiptKeys = openReceiptKeys(eventLog, RECEIPT_SIGNING_KEYS);

const objects = openContent(bus, OBJECTS_URL);
const services = {
  ...procedures(accessTokenVerifier(AUTH_JWKS_URL), revocations),
  database,
  eventLog,
  objects,
  hashPool,
  receiptKeys,
  uploadAddresses: uploadAddresses(RECEIPT_SIGNING_KEYS, objects, uploadPace()),
  uploadParts: openUploadParts(bus),
};

const app = trpcApp(apiTree(services), log, metrics);
uploadRoutes(app, openUploads(services));
contentRoute(app, services);
receiptRoute(app, services);
app.get("/.well-known/receipts.json", async (context) => context.json(await receiptKeys.published()));

export default worker({
  log,
  metrics,
  fetch: (request) => app.fetch(request),
  ready: () =>
    Promise.all([
      database.ping(),
      eventLogAnswers(eventLog),
      bus.flush(),
      receiptKeys.ready(),
      revocations.ready(),
    ]),
  notes: revocations.notes,
  async close() {
    await revocations.close();
    await Promise.all([hashPool.close(), database.close(), eventLog.close(), bus.close()]);
  },
});
