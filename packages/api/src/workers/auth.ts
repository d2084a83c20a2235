import { type AuthDatabase, accessTokenSeconds } from "@carillon/domain";
import {
  connectBus,
  connectDatabase,
  connectEventLog,
  createLogger,
  createMetrics,
  openMirroredBucket,
  ownTokenVerifier,
  safeRoleOrExit,
  settingsOrExit,
  signingKeys,
} from "@carillon/platform";
import { procedures } from "../http/authenticated-procedures.ts";
import { eventLogAnswers } from "../http/event-log-probe.ts";
import { trpcApp } from "../http/trpc-app.ts";
import { worker } from "../http/worker.ts";
import { openAccounts } from "../login/accounts.ts";
import { deviceTokens } from "../login/device-token.ts";
import { openLoginJournal } from "../login/login-journal.ts";
import { countTtlMs, type FailureCount, openLoginLimits } from "../login/login-limits.ts";
import { openLoginLog } from "../login/login-recorder.ts";
import { passwordProof } from "../login/password-proof.ts";
import { openHashPool } from "../login/passwords/hash-pool.ts";
import { passwordUpgrades } from "../login/passwords/upgrades.ts";
import { refreshTokens } from "../login/refresh-token.ts";
import { followRevocations } from "../login/revocations.ts";
import { openSessions, sessionDays } from "../login/sessions.ts";
import { authTree } from "./auth-tree.ts";
import { manifests } from "./manifests.ts";

/** Logs people in: the only worker that sees passwords and the keys that sign access tokens. */

const { EVENTSTORE_URL, NATS_URL, AUTH_DATABASE_URL, AUTH_SIGNING_KEYS, REFRESH_TOKEN_KEY } = settingsOrExit(
  ...manifests.auth.settings,
);

const log = createLogger("auth");
const metrics = createMetrics("auth");
const database = connectDatabase<AuthDatabase>(AUTH_DATABASE_URL, { name: "auth", maxConnections: 8 });
await safeRoleOrExit(() => database.assertOwnsAndBypassesNothing());
const eventLog = connectEventLog(EVENTSTORE_URL);
const bus = await connectBus(NATS_URL, "auth");

const keys = signingKeys(AUTH_SIGNING_KEYS, accessTokenSeconds + 60);
const [revocations, failureCounts] = await Promise.all([
  followRevocations(bus, { keepMs: sessionDays * 86_400_000 }),
  openMirroredBucket<FailureCount>(bus, "login-failures", { what: "The login limits", ttlMs: countTtlMs }),
]);
const hashPool = openHashPool({ metrics, log });
const loginLog = openLoginLog({ eventLog, journal: openLoginJournal(bus), log, metrics });
const upgrades = passwordUpgrades({ hashPool, eventLog, log, metrics });
const accounts = openAccounts(database, eventLog);
const limits = openLoginLimits(failureCounts, { metrics });

const tree = authTree({
  ...procedures(ownTokenVerifier(keys), revocations),
  accounts,
  proveByPassword: passwordProof({ accounts, limits, hashPool, upgrades }),
  hashPool,
  eventLog,
  sessions: openSessions(bus),
  loginLog,
  refreshTokens: refreshTokens(REFRESH_TOKEN_KEY),
  deviceTokens: deviceTokens(REFRESH_TOKEN_KEY),
  revocations,
  signingKeys: keys,
});
const app = trpcApp(tree, log, metrics);
app.get("/.well-known/jwks.json", (context) => context.json({ keys: keys.published(new Date()) }));

export default worker({
  log,
  metrics,
  fetch: (request) => app.fetch(request),
  // Either the log or the view is enough to let people in.
  ready: () =>
    Promise.all([
      Promise.any([eventLogAnswers(eventLog), database.ping()]),
      bus.flush(),
      revocations.ready(),
    ]),
  notes: () => [...revocations.notes(), ...accounts.notes()],
  async close() {
    await upgrades.settled();
    await Promise.all([hashPool.close(), loginLog.close()]);
    failureCounts.close();
    await revocations.close();
    await Promise.all([database.close(), eventLog.close(), bus.close()]);
  },
});
