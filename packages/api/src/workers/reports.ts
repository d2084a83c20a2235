import type { ReportsDatabase } from "@carillon/domain";
import {
  accessTokenVerifier,
  connectBus,
  connectDatabase,
  createLogger,
  createMetrics,
  safeRoleOrExit,
  settingsOrExit,
} from "@carillon/platform";
import { procedures } from "../http/authenticated-procedures.ts";
import { trpcApp } from "../http/trpc-app.ts";
import { worker } from "../http/worker.ts";
import { accessMemoryMs, followRevocations } from "../login/revocations.ts";
import { manifests } from "./manifests.ts";
import { reportsTree } from "./reports-tree.ts";

/** Reports, on a database of their own: what a principal asks for cannot slow a student down. */

const { NATS_URL, REPORTS_DATABASE_URL, AUTH_JWKS_URL } = settingsOrExit(...manifests.reports.settings);

const log = createLogger("reports");
const metrics = createMetrics("reports");
const database = connectDatabase<ReportsDatabase>(REPORTS_DATABASE_URL, {
  name: "reports",
  maxConnections: 4,
  statementTimeoutMs: 10_000,
});
await safeRoleOrExit(() => database.assertOwnsAndBypassesNothing());

const bus = await connectBus(NATS_URL, "reports");
const revocations = await followRevocations(bus, { keepMs: accessMemoryMs });

const tree = reportsTree({ ...procedures(accessTokenVerifier(AUTH_JWKS_URL), revocations), database });
const app = trpcApp(tree, log, metrics);

export default worker({
  log,
  metrics,
  fetch: (request) => app.fetch(request),
  // Not that the bus answers: a report needs none, and hears of revocations again when it is back.
  ready: () => Promise.all([database.ping(), revocations.ready()]),
  notes: revocations.notes,
  async close() {
    await revocations.close();
    await Promise.all([database.close(), bus.close()]);
  },
});
