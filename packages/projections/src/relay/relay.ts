import {
  type Bus,
  type EventLog,
  keepTrying,
  type Logger,
  openEventPublisher,
  routeOf,
  type StoredEvent,
} from "@carillon/platform";

/** What a relay works with. */
export interface RelayDependencies {
  readonly eventLog: EventLog;
  readonly bus: Bus;
  readonly logger: Logger;
  /** Is told of each event that was sent. */
  readonly relayed: (event: StoredEvent) => void;
}

const retryDelayMs = 250;

/**
 * Copies every event of ours from the log to the bus, in the log's order, until `signal` aborts. It keeps no
 * checkpoint: the last event on the bus says how far it is, so a bus that lost everything is filled again, and
 * wherever it is uncertain what arrived it begins again there. Two relays at once do no harm.
 */
export async function runRelay(dependencies: RelayDependencies, signal: AbortSignal): Promise<void> {
  await keepTrying(() => relay(dependencies, signal), {
    signal,
    pauseMs: retryDelayMs,
    failed: (error) => dependencies.logger.warn({ err: error }, "relay interrupted, trying again"),
  });
}

async function relay({ eventLog, bus, relayed }: RelayDependencies, signal: AbortSignal): Promise<void> {
  const publisher = await openEventPublisher(bus);
  try {
    for await (const event of eventLog.followAll(
      publisher.last,
      AbortSignal.any([signal, publisher.failed]),
    )) {
      const route = routeOf(event);
      if (!route) continue;
      const caughtUp = publisher.publish(event, route);
      if (caughtUp) await caughtUp;
      relayed(event);
    }
    await publisher.settled();
  } finally {
    publisher.close();
  }
}
