import {
  type AuthDatabase,
  connectBus,
  connectDatabase,
  connectEventLog,
  createLogger,
  createMetrics,
  openSessions,
  publicKey,
  safeRoleOrExit,
  settingsOrExit,
} from "@carillon/platform";
import { openAccounts } from "../accounts.ts";
import { eventLogAnswers } from "../event-log-answers.ts";
import { openLoginLog } from "../login-log.ts";
import { refreshTokens } from "../refresh-token.ts";
import { authTree } from "../trees/auth.ts";
import { trpcApp } from "../trpc-app.ts";
import { worker } from "../worker.ts";

/** Logs people in: the only worker that sees passwords and the key that signs access tokens. */

const { EVENTSTORE_URL, NATS_URL, AUTH_DATABASE_URL, AUTH_SIGNING_KEY, REFRESH_TOKEN_KEY } = settingsOrExit(
  "EVENTSTORE_URL",
  "NATS_URL",
  "AUTH_DATABASE_URL",
  "AUTH_SIGNING_KEY",
  "REFRESH_TOKEN_KEY",
);

const log = createLogger("auth");
const metrics = createMetrics("auth");
const database = connectDatabase<AuthDatabase>(AUTH_DATABASE_URL, { name: "auth", maxConnections: 8 });
await safeRoleOrExit(() => database.assertOwnsAndBypassesNothing());
const eventLog = connectEventLog(EVENTSTORE_URL);
const bus = await connectBus(NATS_URL, "auth");
const loginLog = openLoginLog(eventLog, log);

const tree = authTree({
  accounts: openAccounts(database, eventLog),
  sessions: openSessions(bus),
  loginLog,
  refreshTokens: refreshTokens(REFRESH_TOKEN_KEY),
  signingKey: AUTH_SIGNING_KEY,
});
const app = trpcApp(tree, log, metrics);
app.get("/.well-known/jwks.json", (context) => context.json({ keys: [publicKey(AUTH_SIGNING_KEY)] }));

export default worker({
  log,
  metrics,
  fetch: (request) => app.fetch(request),
  ready: () => Promise.all([database.ping(), eventLogAnswers(eventLog), bus.flush()]),
  async close() {
    await loginLog.drain();
    await Promise.all([database.close(), eventLog.close(), bus.close()]);
  },
});
