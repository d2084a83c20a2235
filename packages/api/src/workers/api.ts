import {
  accessMemoryMs,
  accessTokenVerifier,
  connectBus,
  connectDatabase,
  connectEventLog,
  createLogger,
  createMetrics,
  followRevocations,
  type LiveDatabase,
  openContent,
  openUploadParts,
  safeRoleOrExit,
  settingsOrExit,
} from "@carillon/platform";
import { contentRoute } from "../content-route.ts";
import { eventLogAnswers } from "../event-log-answers.ts";
import { openHashPool } from "../hash-pool.ts";
import { procedures } from "../identity.ts";
import { openReceiptKeys } from "../receipt-keys.ts";
import { receiptRoute } from "../receipt-route.ts";
import { apiTree } from "../trees/api.ts";
import { trpcApp } from "../trpc-app.ts";
import { uploadPace } from "../upload-pace.ts";
import { uploadRoutes } from "../upload-routes.ts";
import { uploadSlots } from "../upload-slots.ts";
import { openUploads } from "../uploads.ts";
import { worker } from "../worker.ts";

/** The classroom: people, classes, assignments and submissions. */

const { EVENTSTORE_URL, NATS_URL, DATABASE_URL, AUTH_JWKS_URL, RECEIPT_SIGNING_KEYS, OBJECTS_URL } =
  settingsOrExit(
    "EVENTSTORE_URL",
    "NATS_URL",
    "DATABASE_URL",
    "AUTH_JWKS_URL",
    "RECEIPT_SIGNING_KEYS",
    "OBJECTS_URL",
  );

const log = createLogger("api");
const metrics = createMetrics("api");
const database = connectDatabase<LiveDatabase>(DATABASE_URL, { name: "api", maxConnections: 10 });
await safeRoleOrExit(() => database.assertOwnsAndBypassesNothing());
const eventLog = connectEventLog(EVENTSTORE_URL);
const bus = await connectBus(NATS_URL, "api");
// Who is enrolled can wait: most logins are on the other worker, and its threads are as many as there are cores.
const hashPool = openHashPool({ metrics, log, width: 1 });

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
  uploadSlots: uploadSlots(RECEIPT_SIGNING_KEYS, objects, uploadPace()),
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
