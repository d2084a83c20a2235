import type { LiveDatabase } from "@carillon/domain";
import {
  backgroundWorker,
  connectBus,
  connectDatabase,
  connectEventLog,
  createLogger,
  createMetrics,
  openContent,
  safeRoleOrExit,
  settingsOrExit,
} from "@carillon/platform";
import { contentReferences } from "../content/content-references.ts";
import { runCollector } from "../content/run-collector.ts";
import { runProcessing } from "../queue/run-processing.ts";
import { observeWork } from "../queue/work-metrics.ts";
import { gradeHandler } from "../submissions/grade.ts";
import { lapseHandler } from "../submissions/lapse.ts";
import { manifests } from "./manifests.ts";

/** Works on what events ask for: grades by answer keys, lets lapse what never came. Collects content that nobody needs. */

const { EVENTSTORE_URL, NATS_URL, DATABASE_URL, OBJECTS_URL } = settingsOrExit(
  ...manifests.processing.settings,
);

const logger = createLogger("processing");
const metrics = createMetrics("processing");
const database = connectDatabase<LiveDatabase>(DATABASE_URL, { name: "processing", maxConnections: 1 });
await safeRoleOrExit(() => database.assertOwnsAndBypassesNothing());
const eventLog = connectEventLog(EVENTSTORE_URL);
const bus = await connectBus(NATS_URL, "processing");
const content = openContent(bus, OBJECTS_URL);
/** Every handler that there is. */
const handlers = [gradeHandler(eventLog, content), lapseHandler(eventLog)];
const observer = observeWork(handlers, bus, metrics);
const references = contentReferences(database, eventLog, () => new Date());

export default backgroundWorker({
  logger,
  metrics,
  run: (signal) =>
    Promise.all([
      runProcessing({ bus, logger, observer }, handlers, signal),
      runCollector(content, references, logger, signal),
    ]),
  // Not the database: the work goes on without it.
  ready: () => Promise.all([eventLog.head(), bus.flush()]),
  close: () => Promise.all([eventLog.close(), bus.close(), database.close()]),
});
