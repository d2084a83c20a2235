import { newSessionId } from "@carillon/api/sessions";
import { instantOf, sessionDecider, tenantIdOf, userIdOf } from "@carillon/domain";
import { type Bus, commandContext, decodeEnvelope, type EventLog, eventSubjects } from "@carillon/platform";

/** A clock that a loaded machine slows as much as what is measured by it. */
export interface RoundTrips {
  /** Tries `check` again after each of as many round trips as an idle machine makes in a second. Rejects as it did last. */
  withinASecond(check: () => void | Promise<void>): Promise<void>;
  close(): void;
}

/** An idle machine takes some 15 ms for one. */
const tripsInASecond = 60;

/**
 * Measures time in round trips: an event is appended to the log and comes over the bus, then the next one. News that
 * travel the same way within a second are there before so many events have come one after the other; news that wait
 * for a timer of seconds are not. The relay has to run.
 */
export function openRoundTrips(log: EventLog, bus: Bus): RoundTrips {
  const tenantId = tenantIdOf("round-trips");
  const userId = userIdOf(tenantId, "traveller");
  let newest = -1n;
  let arrived = () => {};
  const subscription = bus.subscribe(eventSubjects(), {
    callback: (_, { data }) => {
      const { position } = decodeEnvelope(data);
      if (position > newest) newest = position;
      arrived();
    },
  });

  const roundTrip = async () => {
    const sessionId = newSessionId();
    const context = commandContext(tenantId, "system:test", instantOf(new Date()));
    const { position } = await log.execute(
      sessionDecider,
      tenantId,
      sessionId,
      [{ command: { type: "Login", sessionId, userId, refusal: null }, context }],
      { expectNew: true },
    );
    while (newest < position) {
      await new Promise<void>((resolve) => {
        arrived = resolve;
      });
    }
  };

  return {
    async withinASecond(check) {
      for (let trip = 0; trip < tripsInASecond; trip++) {
        try {
          return await check();
        } catch {
          await roundTrip();
        }
      }
      await check();
    },
    close: () => subscription.unsubscribe(),
  };
}
