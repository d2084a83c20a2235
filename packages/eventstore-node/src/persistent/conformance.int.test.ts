/** Persistent subscriptions as the official client meets them, one test per behaviour, over TLS with users and without either. */
import {
  DISPATCH_TO_SINGLE,
  PARK,
  PersistentSubscriptionDoesNotExistError,
  PersistentSubscriptionExistsError,
  type PersistentSubscriptionToStreamSettings,
  PINNED,
  persistentSubscriptionToAllSettingsFromDefaults,
  RETRY,
  ROUND_ROBIN,
  SKIP,
  STOP,
  streamNameFilter,
} from "@eventstore/db-client";
import { describe, expect, test } from "vitest";
import { event, eventually, startTestNode, temporaryFolder, transports } from "../testing.ts";
import { fromStart, givenNames, listen } from "./testing.ts";

describe.each(transports)("$transport", ({ options }) => {
  const startGroup = async (
    changes: Partial<PersistentSubscriptionToStreamSettings> = {},
    dir = temporaryFolder(),
  ) => {
    const node = await startTestNode(dir, options);
    const { client } = node;
    await client.appendToStream("s", [event("a"), event("b")]);
    await client.createPersistentSubscriptionToStream("s", "g", fromStart(changes));
    const connect = () => listen(client.subscribeToPersistentSubscriptionToStream("s", "g"));
    const info = () => client.getPersistentSubscriptionToStreamInfo("s", "g");
    return { ...node, connect, info };
  };

  test("a group is made once, described, changed, listed and deleted", async () => {
    const { client, info } = await startGroup({ maxRetryCount: 3 });
    const again = client.createPersistentSubscriptionToStream("s", "g", fromStart());
    await expect(again).rejects.toBeInstanceOf(PersistentSubscriptionExistsError);
    expect((await info()).settings).toMatchObject({ maxRetryCount: 3 });
    await client.updatePersistentSubscriptionToStream("s", "g", fromStart({ maxRetryCount: 7 }));
    expect((await info()).settings).toMatchObject({ maxRetryCount: 7 });
    expect(await client.listAllPersistentSubscriptions()).toMatchObject([
      { eventSource: "s", groupName: "g" },
    ]);
    await client.deletePersistentSubscriptionToStream("s", "g");
    await expect(info()).rejects.toBeInstanceOf(PersistentSubscriptionDoesNotExistError);
  });

  test("what is acknowledged does not come again, also after a restart", async () => {
    const dir = temporaryFolder();
    const { connect, info, stop } = await startGroup({}, dir);
    const consumer = connect();
    expect(await givenNames(consumer, 2)).toEqual(["a", "b"]);
    await consumer.subscription.ack(consumer.last("a"));
    await eventually(async () => expect((await info()).stats.lastCheckpointedEventRevision).toBe(0n));
    await stop();
    const { client } = await startTestNode(dir, options);
    const after = listen(client.subscribeToPersistentSubscriptionToStream("s", "g"));
    await client.appendToStream("s", event("c"));
    expect(await givenNames(after, 2)).toEqual(["b", "c"]);
  });

  test.each([
    [PARK, ["a", "b", "c"], 1n],
    [RETRY, ["a", "b", "a"], 0n],
    [SKIP, ["a", "b", "c"], 0n],
    [STOP, ["a", "b", "c"], 0n],
  ] as const)("an event that failed with %s comes again or not", async (action, given, parked) => {
    const { client, connect, info } = await startGroup();
    const consumer = connect();
    await givenNames(consumer, 2);
    await consumer.subscription.nack(action, "no", consumer.last("a"));
    if (action !== RETRY) await client.appendToStream("s", event("c"));
    expect(await givenNames(consumer, 3)).toEqual(given);
    await eventually(async () => expect((await info()).stats.parkedMessageCount).toBe(parked));
  });

  test("parked events come again when they are replayed", async () => {
    const { client, connect, info } = await startGroup();
    const consumer = connect();
    await givenNames(consumer, 2);
    await consumer.subscription.nack(PARK, "no", ...consumer.given);
    await eventually(async () => expect((await info()).stats.parkedMessageCount).toBe(2n));
    await client.replayParkedMessagesToStream("s", "g");
    expect(await givenNames(consumer, 4)).toEqual(["a", "b", "a", "b"]);
  });

  test.each([DISPATCH_TO_SINGLE, ROUND_ROBIN, PINNED])(
    "a group with %s gives every event to one of its consumers",
    async (consumerStrategyName) => {
      const { client, connect, info } = await startGroup({ consumerStrategyName });
      expect((await info()).settings).toMatchObject({ consumerStrategyName });
      const consumers = [connect(), connect()];
      for (const consumer of consumers) consumer.ackAll();
      await client.appendToStream("s", [event("c"), event("d")]);
      await eventually(() => {
        const given = consumers.flatMap(({ names }) => names);
        expect(given.toSorted()).toEqual(["a", "b", "c", "d"]);
      });
    },
  );

  test("a group on $all gets what its filter lets through", async () => {
    const { client } = await startGroup();
    const settings = persistentSubscriptionToAllSettingsFromDefaults({ startFrom: "start" });
    const filter = streamNameFilter({ prefixes: ["wanted-"] });
    await client.createPersistentSubscriptionToAll("all", settings, { filter });
    await client.appendToStream("wanted-1", event("x"));
    const consumer = listen(client.subscribeToPersistentSubscriptionToAll("all"));
    expect(await givenNames(consumer, 1)).toEqual(["x"]);
    expect(await client.getPersistentSubscriptionToAllInfo("all")).toMatchObject({ eventSource: "$all" });
  });
});
