import {
  backgroundWorker,
  connectBus,
  connectEventLog,
  counter,
  createLogger,
  createMetrics,
  gauge,
  settingsOrExit,
} from "@carillon/platform";
import { runRelay } from "../relay/relay.ts";
import { manifests } from "./manifests.ts";

/** Copies the event log to the event bus. */

const { EVENTSTORE_URL, NATS_URL } = settingsOrExit(...manifests.relay.settings);

const logger = createLogger("relay");
const metrics = createMetrics("relay");
const sent = counter(metrics, "carillon_relay_events_total");
let lastCreated: string | undefined;
let lastSentAt = 0;
gauge(metrics, "carillon_relay_lag_seconds", function () {
  if (lastCreated) this.set((lastSentAt - Date.parse(lastCreated)) / 1_000);
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
