import {
  accessTokenVerifier,
  connectBus,
  connectDatabase,
  connectEventLog,
  createLogger,
  createMetrics,
  type LiveDatabase,
  openObjects,
  publicKey,
  safeRoleOrExit,
  settingsOrExit,
} from "@carillon/platform";
import { eventLogAnswers } from "../event-log-answers.ts";
import { procedures } from "../identity.ts";
import { apiTree } from "../trees/api.ts";
import { trpcApp } from "../trpc-app.ts";
import { worker } from "../worker.ts";

/** The classroom: people, classes, assignments and submissions. */

const { EVENTSTORE_URL, NATS_URL, DATABASE_URL, AUTH_JWKS_URL, RECEIPT_SIGNING_KEY } = settingsOrExit(
  "EVENTSTORE_URL",
  "NATS_URL",
  "DATABASE_URL",
  "AUTH_JWKS_URL",
  "RECEIPT_SIGNING_KEY",
);

const log = createLogger("api");
const metrics = createMetrics("api");
const database = connectDatabase<LiveDatabase>(DATABASE_URL, { name: "api", maxConnections: 10 });
await safeRoleOrExit(() => database.assertOwnsAndBypassesNothing());
const eventLog = connectEventLog(EVENTSTORE_URL);
const bus = await connectBus(NATS_URL, "api");

const tree = apiTree({
  ...procedures(accessTokenVerifier(AUTH_JWKS_URL)),
  database,
  eventLog,
  objects: openObjects(bus),
  receiptKey: RECEIPT_SIGNING_KEY,
});
const app = trpcApp(tree, log, metrics);
app.get("/.well-known/receipts.json", (context) => context.json({ keys: [publicKey(RECEIPT_SIGNING_KEY)] }));

export default worker({
  log,
  metrics,
  fetch: (request) => app.fetch(request),
  ready: () => Promise.all([database.ping(), eventLogAnswers(eventLog), bus.flush()]),
  close: () => Promise.all([database.close(), eventLog.close(), bus.close()]),
});
