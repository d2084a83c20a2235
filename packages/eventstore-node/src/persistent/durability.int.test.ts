import { readFileSync, writeFileSync } from "node:fs";
import type { EventStoreDBClient, Filter } from "@eventstore/db-client";
import { expect, test } from "vitest";
import { storeFile } from "../storage/store-file.ts";
import {
  all,
  connect,
  event,
  eventually,
  kill,
  nameOf,
  names,
  spawnNode,
  startTestNode,
  temporaryFolder,
} from "../testing.ts";
import { fromStart, givenNames, listen } from "./testing.ts";

const CYCLES = 3;

function consume(client: EventStoreDBClient, bufferSize = 10) {
  return listen(client.subscribeToPersistentSubscriptionToStream("s", "g", { bufferSize }));
}

async function checkpointOf(client: EventStoreDBClient) {
  return (await client.getPersistentSubscriptionToStreamInfo("s", "g")).stats.lastCheckpointedEventRevision;
}

test("after a restart a group goes on behind its checkpoint, with what was not answered before it", async () => {
  const dir = temporaryFolder();
  const first = await startTestNode(dir);
  await first.client.createPersistentSubscriptionToStream("s", "g", fromStart());
  await first.client.appendToStream(
    "s",
    ["0", "1", "2", "3"].map((name) => event(name)),
  );
  const before = consume(first.client);
  await givenNames(before, 4);
  await before.subscription.ack(before.last("0"), before.last("1"), before.last("3"));
  await eventually(async () => expect(await checkpointOf(first.client)).toBe(1n));
  expect(await all(first.client.readStream("$persistentsubscription-s::g-checkpoint"))).toMatchObject([
    { event: { type: "$SubscriptionCheckpoint", data: "1" } },
  ]);
  await first.stop();

  const { client } = await startTestNode(dir);
  expect(await checkpointOf(client)).toBe(1n);
  const after = consume(client);
  expect(await givenNames(after, 2)).toEqual(["2", "3"]);
});

test("a group on $all goes on behind its checkpoint after a restart", async () => {
  const dir = temporaryFolder();
  const first = await startTestNode(dir);
  const filter: Filter = { filterOn: "eventType", prefixes: ["Happened"], checkpointInterval: 1 };
  const settings = { ...fromStart(), startFrom: "start" } as const;
  await first.client.createPersistentSubscriptionToAll("g", settings, { filter });
  const written = await first.client.appendToStream("s", event("a"));
  const before = listen(first.client.subscribeToPersistentSubscriptionToAll("g"));
  before.ackAll();
  await eventually(async () => {
    const { stats } = await first.client.getPersistentSubscriptionToAllInfo("g");
    expect(stats.lastCheckpointedEventPosition).toEqual(written.position);
  });
  await first.stop();
  const { client } = await startTestNode(dir);
  await client.appendToStream("s", event("b"));
  const after = listen(client.subscribeToPersistentSubscriptionToAll("g"));
  expect(await givenNames(after, 1)).toEqual(["b"]);
});

test("events that came before the first checkpoint of a group that starts at the end survive a restart", async () => {
  const dir = temporaryFolder();
  const first = await startTestNode(dir);
  await first.client.appendToStream("s", event("old"));
  await first.client.createPersistentSubscriptionToStream("s", "g", fromStart({ startFrom: "end" }));
  await first.client.appendToStream("s", event("new"));
  await first.stop();
  const { client } = await startTestNode(dir);
  expect(await givenNames(consume(client), 1)).toEqual(["new"]);
});

test("a checkpoint is written by time when enough events are done, and by count without waiting", async () => {
  const { client } = await startTestNode();
  const byTime = fromStart({ checkPointAfter: 1, checkPointLowerBound: 2, checkPointUpperBound: 1000 });
  const byCount = fromStart({ checkPointAfter: 3_600_000, checkPointLowerBound: 1, checkPointUpperBound: 3 });
  await client.createPersistentSubscriptionToStream("s", "g", byTime);
  await client.createPersistentSubscriptionToStream("s", "h", byCount);
  const listeners = ["g", "h"].map((group) =>
    listen(client.subscribeToPersistentSubscriptionToStream("s", group)),
  );
  for (const listener of listeners) listener.ackAll();
  const checkpoints = async () => {
    const groups = await client.listPersistentSubscriptionsToStream("s");
    return groups.map(({ stats }) => stats.lastCheckpointedEventRevision);
  };
  await client.appendToStream("s", [event("0"), event("1")]);
  await eventually(async () => expect(await checkpoints()).toEqual([1n, 1n]));
  await client.appendToStream("s", [event("2"), event("3"), event("4")]);
  await eventually(async () => expect(await checkpoints()).toEqual([expect.toBeOneOf([3n, 4n]), 4n]));
});

/** At-least-once: whatever is killed when, every event is either acknowledged or parked in the end. */
test("kill -9 loses no event of a group", async () => {
  const dir = temporaryFolder();
  let node = await spawnNode(dir);
  const port = Number(new URL(node.url.replace("esdb", "http")).port);
  const client = connect(`${node.url}&defaultDeadline=1000`);
  await client.createPersistentSubscriptionToStream("s", "g", fromStart({ checkPointUpperBound: 5 }));
  const acknowledged = new Set<unknown>();
  let written = 0;
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    const batch = Array.from({ length: 300 }, (_, n) => event(`${written + n}`));
    await eventually(() => client.appendToStream("s", batch));
    written += batch.length;
    const goal = acknowledged.size + 100;
    const consumer = consume(connect(node.url));
    consumer.subscription.on("data", (given) => {
      const name = nameOf(given);
      if (Number(name) % 50 === 7) {
        void consumer.subscription.nack("park", "no", given).catch(() => {});
        return;
      }
      acknowledged.add(name);
      void consumer.subscription.ack(given).catch(() => {});
    });
    await eventually(() => expect(acknowledged.size).toBeGreaterThan(goal));
    await kill(node.process);
    node = await spawnNode(dir, port);
  }
  const consumer = consume(connect(node.url));
  consumer.ackAll();
  const parked = new Set<unknown>();
  await eventually(async () => {
    const { stats } = await client.getPersistentSubscriptionToStreamInfo("s", "g");
    expect(stats.lastCheckpointedEventRevision).toBeGreaterThanOrEqual(BigInt(written - 5));
    expect(stats.outstandingMessagesCount).toBe(0);
  });
  const links = await all(client.readStream("$persistentsubscription-s::g-parked"));
  const stream = await names(client.readStream("s"));
  for (const { event: link } of links) {
    const [revision] = Buffer.from(link?.data as Uint8Array)
      .toString()
      .split("@");
    parked.add(stream[Number(revision)]);
  }
  const seen = new Set([...acknowledged, ...consumer.names, ...parked]);
  expect(stream.filter((name) => !seen.has(name))).toEqual([]);
});

/** Changes `text` wherever it is in the node's file, as a failing disk would. */
function damage(dir: string, text: string): void {
  const bytes = readFileSync(storeFile(dir));
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at)) bytes[at] = 0;
  writeFileSync(storeFile(dir), bytes, { flag: "r+" });
}

test("a parked event that was damaged on the disk ends its group when it is replayed, and not the node", async () => {
  const dir = temporaryFolder();
  const { client } = await startTestNode(dir);
  await client.createPersistentSubscriptionToStream("s", "g", fromStart());
  await client.appendToStream("s", event("a"));
  const consumer = consume(client);
  await givenNames(consumer, 1);
  await consumer.subscription.nack("park", "this reason is damaged", consumer.last("a"));
  await eventually(async () => {
    const { stats } = await client.getPersistentSubscriptionToStreamInfo("s", "g");
    expect(stats.parkedMessageCount).toBe(1n);
  });
  damage(dir, "this reason is damaged");
  await client.replayParkedMessagesToStream("s", "g");
  await eventually(() => expect(consumer.errors).toHaveLength(1));
  await client.appendToStream("s", event("b"));
});
