import {
  backgroundWorker,
  Counter,
  connectBus,
  connectEventLog,
  createLogger,
  createMetrics,
  Gauge,
  settingsOrExit,
  telemetryNames,
} from "@carillon/platform";
import { runRelay } from "../relay/relay.ts";
import { manifests } from "./manifests.ts";

/** Copies the event log to the event bus. */

const { EVENTSTORE_URL, NATS_URL } = settingsOrExit(...manifests.relay.settings);

const logger = createLogger("relay");
const metrics = createMetrics("relay");
const sent = new Counter({
  name: telemetryNames.relayedEvents,
  help: "Events sent to the bus",
  registers: [metrics],
});
let lastCreated: string | undefined;
let lastSentAt = 0;
new Gauge({
  name: telemetryNames.relayLagSeconds,
  help: "How old the last event was when it was sent",
  registers: [metrics],
  collect() {
    if (lastCreated) this.set((lastSentAt - Date.parse(lastCreated)) / 1_000);
  },
});

const eventLog = connectEventLog(EVENTSTORE_URL);
const bus = await connectBus(NATS_URL, "relay");

export default backgroundWorker({
  logger,
  metrics,
  run: (signal) =>
    runRelay(
      {
        eventLog,
        bus,
        logger,
        relayed({ created }) {
          sent.inc();
          lastCreated = created;
          lastSentAt = Date.now();
        },
      },
      signal,
    ),
  ready: () => Promise.all([eventLog.head(), bus.flush()]),
  close: () => Promise.all([eventLog.close(), bus.close()]),
});
