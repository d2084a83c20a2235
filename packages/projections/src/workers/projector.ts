import process from "node:process";
import {
  assertOwnsAndBypassesNothing,
  backgroundWorker,
  type CheckpointTables,
  connectBus,
  connectEventLog,
  createLogger,
  createMetrics,
  exitCodeForSettings,
  openPostgres,
  safeRoleOrExit,
  settingsOrExit,
} from "@carillon/platform";
import { sql } from "kysely";
import { runProjector, shardsOf } from "../projector/projector.ts";
import { observeShards } from "../projector/shard-metrics.ts";
import { projectionsNamed } from "../read-models/all-projections.ts";
import { manifests } from "./manifests.ts";

/** Keeps the read models of one database up to date. */

const { EVENTSTORE_URL, NATS_URL, DATABASE_URL, PROJECTIONS } = settingsOrExit(
  ...manifests.projector.settings,
);

const projections = namedOrExit(PROJECTIONS.split(","));
const logger = createLogger(`projector ${PROJECTIONS}`);
const metrics = createMetrics(`projector ${PROJECTIONS}`);
const db = openPostgres<CheckpointTables>(DATABASE_URL, {
  name: `projector ${PROJECTIONS}`,
  maxConnections: 4,
});
await safeRoleOrExit(() => assertOwnsAndBypassesNothing(db));
const eventLog = connectEventLog(EVENTSTORE_URL);
const bus = await connectBus(NATS_URL, `projector ${PROJECTIONS}`);
const { observer, notes } = observeShards(shardsOf(projections), bus, metrics);

export default backgroundWorker({
  logger,
  metrics,
  notes,
  run: (signal) => runProjector({ bus, eventLog, db, logger, observer }, projections, signal),
  ready: () => Promise.all([sql`select 1`.execute(db), bus.flush()]),
  close: () => Promise.all([db.destroy(), eventLog.close(), bus.close()]),
});

function namedOrExit(names: string[]) {
  try {
    return projectionsNamed(names);
  } catch (error) {
    process.stderr.write(`settings: PROJECTIONS: ${(error as Error).message}\n`);
    process.exit(exitCodeForSettings);
  }
}
