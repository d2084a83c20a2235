/** Consumers of subscription groups, for tests. */
import {
  type EventStoreDBClient,
  type PersistentSubscriptionToStreamSettings,
  persistentSubscriptionToStreamSettingsFromDefaults,
} from "@eventstore/db-client";
import { eventually, nameOf } from "../testing.ts";

type Subscription = ReturnType<EventStoreDBClient["subscribeToPersistentSubscriptionToStream"]>;
type Delivered = Parameters<Subscription["ack"]>[0] & { readonly retryCount: number };

/** What one consumer was given so far. */
export interface Listener {
  readonly subscription: Subscription;
  readonly given: Delivered[];
  /** The names of the given events, in order. */
  readonly names: unknown[];
  /** Why it ended, if it did. */
  readonly errors: unknown[];
  /** Resolves when the node confirmed the subscription. */
  readonly confirmed: Promise<void>;
  /** Acknowledges everything that was given and is given from now on. */
  ackAll(): void;
  /** The event of this name, as it was given last. */
  last(name: string): Delivered;
}

/** Collects what `subscription` gives, without answering. */
export function listen(subscription: Subscription): Listener {
  const given: Delivered[] = [];
  const names: unknown[] = [];
  const errors: unknown[] = [];
  let isAcking = false;
  const confirmed = new Promise<void>((resolve) => subscription.once("confirmation", resolve));
  subscription.on("error", (error: unknown) => errors.push(error));
  subscription.on("data", (event: Delivered) => {
    given.push(event);
    names.push(nameOf(event));
    if (isAcking) void subscription.ack(event);
  });
  return {
    subscription,
    given,
    names,
    errors,
    confirmed,
    ackAll() {
      isAcking = true;
      if (given.length > 0) void subscription.ack(...given);
    },
    last(name) {
      const found = given.findLast((event) => nameOf(event) === name);
      if (found === undefined) throw new Error(`${name} was not given`);
      return found;
    },
  };
}

/** Settings of a group that starts at the beginning and writes a checkpoint for every event. */
export function fromStart(
  changes: Partial<PersistentSubscriptionToStreamSettings> = {},
): PersistentSubscriptionToStreamSettings {
  return persistentSubscriptionToStreamSettingsFromDefaults({
    startFrom: "start",
    checkPointLowerBound: 1,
    checkPointUpperBound: 1,
    ...changes,
  });
}

/** Waits until the listener was given so many events, and gives their names. */
export function givenNames(listener: Listener, count: number): Promise<unknown[]> {
  return eventually(() => {
    if (listener.names.length < count) throw new Error(`${listener.names.length} of ${count} were given`);
    return listener.names;
  });
}
