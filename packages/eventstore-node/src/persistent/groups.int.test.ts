import { once } from "node:events";
import {
  type EventStoreDBClient,
  PersistentSubscriptionDoesNotExistError,
  PersistentSubscriptionDroppedError,
  PersistentSubscriptionExistsError,
  PersistentSubscriptionFailedError,
  PersistentSubscriptionMaximumSubscribersReachedError,
  persistentSubscriptionToAllSettingsFromDefaults,
} from "@eventstore/db-client";
import { expect, test } from "vitest";
import { event, eventually, startTestNode, temporaryFolder } from "../testing.ts";
import { fromStart, givenNames, listen } from "./testing.ts";

const allSettings = persistentSubscriptionToAllSettingsFromDefaults({ startFrom: "start" });

function connect(client: EventStoreDBClient, group = "g", bufferSize = 10) {
  return listen(client.subscribeToPersistentSubscriptionToStream("s", group, { bufferSize }));
}

test("a group that exists is not made again", async () => {
  const { client } = await startTestNode();
  await client.createPersistentSubscriptionToStream("s", "g", fromStart());
  const again = client.createPersistentSubscriptionToStream("s", "g", fromStart());
  await expect(again).rejects.toBeInstanceOf(PersistentSubscriptionExistsError);
  await expect(again).rejects.toMatchObject({ streamName: "s", groupName: "g" });
});

test("every call about a group that is not there says so", async () => {
  const { client } = await startTestNode();
  const calls: (() => Promise<unknown>)[] = [
    () => client.updatePersistentSubscriptionToStream("s", "g", fromStart()),
    () => client.deletePersistentSubscriptionToStream("s", "g"),
    () => client.getPersistentSubscriptionToStreamInfo("s", "g"),
    () => client.replayParkedMessagesToStream("s", "g"),
    () => client.listPersistentSubscriptionsToStream("s"),
    () => client.updatePersistentSubscriptionToAll("g", allSettings),
    () => client.deletePersistentSubscriptionToAll("g"),
    () => client.getPersistentSubscriptionToAllInfo("g"),
    () => client.replayParkedMessagesToAll("g"),
    () => client.listPersistentSubscriptionsToAll(),
  ];
  for (const call of calls) {
    await expect(call()).rejects.toBeInstanceOf(PersistentSubscriptionDoesNotExistError);
  }
  const [error] = await once(client.subscribeToPersistentSubscriptionToStream("s", "g"), "error");
  expect(error).toBeInstanceOf(PersistentSubscriptionDoesNotExistError);
});

test("settings that cannot work are refused", async () => {
  const { client } = await startTestNode();
  const batch = fromStart({ readBatchSize: 20, historyBufferSize: 20 });
  await expect(client.createPersistentSubscriptionToStream("s", "g", batch)).rejects.toBeInstanceOf(
    PersistentSubscriptionFailedError,
  );
  const past = { ...allSettings, startFrom: { commit: 1000n, prepare: 1000n } };
  await expect(client.createPersistentSubscriptionToAll("g", past)).rejects.toBeInstanceOf(
    PersistentSubscriptionFailedError,
  );
});

test("info and lists give every setting back", async () => {
  const { client } = await startTestNode();
  const settings = fromStart({
    startFrom: 7n,
    resolveLinkTos: true,
    extraStatistics: true,
    messageTimeout: 1234,
    maxRetryCount: 3,
    checkPointAfter: 4321,
    checkPointLowerBound: 5,
    checkPointUpperBound: 50,
    maxSubscriberCount: 6,
    liveBufferSize: 70,
    readBatchSize: 8,
    historyBufferSize: 90,
    consumerStrategyName: "Pinned",
  });
  await client.createPersistentSubscriptionToStream("s", "g", settings);
  await client.createPersistentSubscriptionToStream("s", "h", fromStart());
  await client.createPersistentSubscriptionToAll("g", allSettings);
  const info = await client.getPersistentSubscriptionToStreamInfo("s", "g");
  expect(info).toMatchObject({ eventSource: "s", groupName: "g", status: "Live", settings });
  const names = (groups: { eventSource: string; groupName: string }[]) =>
    groups.map(({ eventSource, groupName }) => `${eventSource}::${groupName}`);
  expect(names(await client.listPersistentSubscriptionsToStream("s"))).toEqual(["s::g", "s::h"]);
  expect(names(await client.listPersistentSubscriptionsToAll())).toEqual(["$all::g"]);
  expect(names(await client.listAllPersistentSubscriptions())).toEqual(["$all::g", "s::g", "s::h"]);
  const all = await client.getPersistentSubscriptionToAllInfo("g");
  expect(all).toMatchObject({ eventSource: "$all", settings: allSettings });
});

test("groups and their settings survive a restart", async () => {
  const dir = temporaryFolder();
  const first = await startTestNode(dir);
  await first.client.createPersistentSubscriptionToStream("s", "g", fromStart({ maxRetryCount: 3 }));
  await first.client.createPersistentSubscriptionToAll("kept", allSettings, {
    filter: { filterOn: "eventType", regex: "^Wanted$", checkpointInterval: 1 },
  });
  await first.client.createPersistentSubscriptionToStream("s", "gone", fromStart());
  await first.client.deletePersistentSubscriptionToStream("s", "gone");
  await first.client.updatePersistentSubscriptionToStream("s", "g", fromStart({ maxRetryCount: 4 }));
  await first.stop();
  const { client } = await startTestNode(dir);
  const listed = await client.listAllPersistentSubscriptions();
  expect(listed.map(({ groupName }) => groupName)).toEqual(["kept", "g"]);
  expect(listed[1]?.settings.maxRetryCount).toBe(4);
  await client.appendToStream("s", [event("a"), event("b", "Wanted")]);
  const consumer = listen(client.subscribeToPersistentSubscriptionToAll("kept"));
  expect(await givenNames(consumer, 1)).toEqual(["b"]);
});

test.each(["deleted", "changed", "restarted"])("a group that is %s drops its consumers", async (what) => {
  const { client } = await startTestNode();
  await client.createPersistentSubscriptionToStream("s", "g", fromStart());
  const consumer = connect(client);
  await consumer.confirmed;
  if (what === "deleted") await client.deletePersistentSubscriptionToStream("s", "g");
  else if (what === "changed") await client.updatePersistentSubscriptionToStream("s", "g", fromStart());
  else await client.restartPersistentSubscriptionSubsystem();
  await eventually(() => expect(consumer.errors).toHaveLength(1));
  expect(consumer.errors[0]).toBeInstanceOf(PersistentSubscriptionDroppedError);
  expect(consumer.errors[0]).toMatchObject({ streamName: "s", groupName: "g" });
});

test("groups go on after the subsystem was restarted", async () => {
  const { client } = await startTestNode();
  await client.createPersistentSubscriptionToStream("s", "g", fromStart());
  await client.restartPersistentSubscriptionSubsystem();
  const consumer = connect(client);
  await client.appendToStream("s", event("a"));
  expect(await givenNames(consumer, 1)).toEqual(["a"]);
});

test("a group that is made again under the name of a deleted one starts anew", async () => {
  const { client } = await startTestNode();
  await client.appendToStream("s", [event("a"), event("b")]);
  await client.createPersistentSubscriptionToStream("s", "g", fromStart());
  const before = connect(client);
  await givenNames(before, 2);
  await before.subscription.ack(before.last("a"));
  await before.subscription.nack("park", "no", before.last("b"));
  await eventually(async () => {
    const { stats } = await client.getPersistentSubscriptionToStreamInfo("s", "g");
    expect(stats).toMatchObject({ parkedMessageCount: 1n, lastCheckpointedEventRevision: 1n });
  });
  await client.deletePersistentSubscriptionToStream("s", "g");
  await client.createPersistentSubscriptionToStream("s", "g", fromStart());
  const after = connect(client);
  expect(await givenNames(after, 2)).toEqual(["a", "b"]);
  const { stats } = await client.getPersistentSubscriptionToStreamInfo("s", "g");
  expect(stats).toMatchObject({ parkedMessageCount: 0n, lastCheckpointedEventRevision: undefined });
  after.ackAll();
  await eventually(async () => {
    const info = await client.getPersistentSubscriptionToStreamInfo("s", "g");
    expect(info.stats.lastCheckpointedEventRevision).toBe(1n);
  });
});

test("no more consumers connect than the group takes, and one that leaves makes room", async () => {
  const { client } = await startTestNode();
  await client.createPersistentSubscriptionToStream("s", "g", fromStart({ maxSubscriberCount: 1 }));
  const first = connect(client);
  await first.confirmed;
  const second = connect(client);
  await eventually(() => expect(second.errors).toHaveLength(1));
  expect(second.errors[0]).toBeInstanceOf(PersistentSubscriptionMaximumSubscribersReachedError);
  await first.subscription.unsubscribe();
  await eventually(async () => {
    const { connections } = await client.getPersistentSubscriptionToStreamInfo("s", "g");
    expect(connections).toHaveLength(0);
  });
  await connect(client).confirmed;
});
