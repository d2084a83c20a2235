import {
  accessTokenVerifier,
  connectDatabase,
  createLogger,
  createMetrics,
  type ReportsDatabase,
  safeRoleOrExit,
  settingsOrExit,
} from "@carillon/platform";
import { procedures } from "../identity.ts";
import { reportsTree } from "../trees/reports.ts";
import { trpcApp } from "../trpc-app.ts";
import { worker } from "../worker.ts";

/** Reports, on a database of their own: what a principal asks for cannot slow a student down. */

const { REPORTS_DATABASE_URL, AUTH_JWKS_URL } = settingsOrExit("REPORTS_DATABASE_URL", "AUTH_JWKS_URL");

const log = createLogger("reports");
const metrics = createMetrics("reports");
const database = connectDatabase<ReportsDatabase>(REPORTS_DATABASE_URL, {
  name: "reports",
  maxConnections: 4,
  statementTimeoutMs: 10_000,
});
await safeRoleOrExit(() => database.assertOwnsAndBypassesNothing());

const tree = reportsTree({ ...procedures(accessTokenVerifier(AUTH_JWKS_URL)), database });
const app = trpcApp(tree, log, metrics);

export default worker({
  log,
  metrics,
  fetch: (request) => app.fetch(request),
  ready: () => database.ping(),
  close: () => database.close(),
});
