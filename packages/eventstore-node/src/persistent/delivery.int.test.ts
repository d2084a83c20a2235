import {
  binaryEvent,
  type EventStoreDBClient,
  type PersistentSubscriptionToStreamSettings,
  persistentSubscriptionToAllSettingsFromDefaults,
} from "@eventstore/db-client";
import { expect, test } from "vitest";
import { all, event, eventually, nameOf, startTestNode } from "../testing.ts";
import { fromStart, givenNames, listen } from "./testing.ts";

/** A node with a group `g` on the stream `s`. */
async function startGroup(changes: Partial<PersistentSubscriptionToStreamSettings> = {}) {
  const { client } = await startTestNode();
  await client.createPersistentSubscriptionToStream("s", "g", fromStart(changes));
  return {
    client,
    connect: (bufferSize = 10) =>
      listen(client.subscribeToPersistentSubscriptionToStream("s", "g", { bufferSize })),
    append: (...names: string[]) =>
      client.appendToStream(
        "s",
        names.map((name) => event(name)),
      ),
    info: () => client.getPersistentSubscriptionToStreamInfo("s", "g"),
  };
}

const numbered = (count: number) => Array.from({ length: count }, (_, n) => `${n}`);

function parkedLinks(client: EventStoreDBClient, key = "s::g") {
  return eventually(async () => {
    const links = await all(client.readStream(`$persistentsubscription-${key}-parked`));
    return links.map(({ event: link }) => ({
      type: link?.type,
      target: Buffer.from(link?.data as Uint8Array).toString(),
      metadata: link?.metadata,
    }));
  });
}

test("a consumer gets what is there, then what comes, in order", async () => {
  const { append, connect } = await startGroup();
  await append("a", "b");
  const consumer = connect();
  await consumer.confirmed;
  expect(consumer.subscription).toMatchObject({ id: "s::g" });
  expect(await givenNames(consumer, 2)).toEqual(["a", "b"]);
  await append("c");
  expect(await givenNames(consumer, 3)).toEqual(["a", "b", "c"]);
  expect(consumer.given.map(({ retryCount }) => retryCount)).toEqual([0, 0, 0]);
});

test.each([
  ["start", ["0", "1", "2"]],
  [1n, ["1", "2"]],
  ["end", ["2"]],
] as const)("a group that starts from %s gets what is from there on", async (startFrom, expected) => {
  const { client } = await startTestNode();
  await client.appendToStream("s", [event("0"), event("1")]);
  await client.createPersistentSubscriptionToStream("s", "g", fromStart({ startFrom }));
  const consumer = listen(client.subscribeToPersistentSubscriptionToStream("s", "g"));
  await client.appendToStream("s", event("2"));
  expect(await givenNames(consumer, expected.length)).toEqual(expected);
});

test("a consumer never has more unanswered events than it asked for", async () => {
  const { append, connect, info } = await startGroup();
  await append(...numbered(30));
  const consumer = connect(3);
  await givenNames(consumer, 3);
  await append("live");
  const { connections, stats } = await info();
  expect(connections[0]).toMatchObject({ availableSlots: 0, inFlightMessages: 3, totalItems: 3n });
  expect(stats).toMatchObject({ totalInFlightMessages: 3, outstandingMessagesCount: 3, totalItems: 3n });
  await consumer.subscription.ack(consumer.last("1"));
  expect(await givenNames(consumer, 4)).toEqual(["0", "1", "2", "3"]);
  expect((await info()).connections[0]).toMatchObject({ availableSlots: 0, totalItems: 4n });
  consumer.ackAll();
  expect(await givenNames(consumer, 31)).toEqual([...numbered(30), "live"]);
});

test("a consumer that answers nothing costs no more memory the more there is to read", async () => {
  const { client, connect, info } = await startGroup({ historyBufferSize: 50 });
  for (let batch = 0; batch < 20; batch++) {
    await client.appendToStream(
      "s",
      numbered(500).map((name) => event(name)),
    );
  }
  const consumer = connect(5);
  await givenNames(consumer, 5);
  const { stats, status } = await info();
  expect(stats.readBufferCount).toBeLessThanOrEqual(50);
  expect(stats.lastKnownEventRevision).toBe(9999n);
  expect(status).toBe("Behind");
  consumer.ackAll();
  await givenNames(consumer, 10_000);
  await eventually(async () => expect(await info()).toMatchObject({ status: "Live" }));
});

test("an event that is not answered in time is given again, and at last parked as a link", async () => {
  const { client, append, connect, info } = await startGroup();
  await append("before");
  const answering = connect();
  await givenNames(answering, 1);
  await answering.subscription.ack(answering.last("before"));
  await eventually(async () => expect((await info()).stats.lastCheckpointedEventRevision).toBe(0n));
  // From now on nobody could answer in time.
  const impatient = fromStart({ messageTimeout: 1, maxRetryCount: 2 });
  await client.updatePersistentSubscriptionToStream("s", "g", impatient);
  await append("late");
  const consumer = connect();
  await eventually(() => expect(consumer.given.at(-1)).toMatchObject({ retryCount: 2 }));
  await eventually(async () => expect((await info()).stats.parkedMessageCount).toBe(1n));
  const tries = consumer.given.filter((given) => nameOf(given) === "late");
  expect(tries.map(({ retryCount }) => retryCount)).toEqual([0, 1, 2]);
  expect(await parkedLinks(client)).toEqual([
    {
      type: "$>",
      target: "1@s",
      metadata: { added: expect.any(String), reason: "Reached retry count of 2", subscriptionEventNumber: 1 },
    },
  ]);
  expect((await info()).stats).toMatchObject({ totalInFlightMessages: 0, retryBufferCount: 0 });
});

test("events that are to be retried come again, before others, and are parked after too many times", async () => {
  const { append, connect, info } = await startGroup({ maxRetryCount: 1 });
  await append("a", "b", "c");
  const consumer = connect(2);
  await givenNames(consumer, 2);
  await consumer.subscription.nack("retry", "later", consumer.last("b"), consumer.last("a"));
  expect(await givenNames(consumer, 4)).toEqual(["a", "b", "a", "b"]);
  expect(consumer.given.map(({ retryCount }) => retryCount)).toEqual([0, 0, 1, 1]);
  await consumer.subscription.nack("retry", "later", consumer.last("a"));
  expect(await givenNames(consumer, 5)).toEqual(["a", "b", "a", "b", "c"]);
  await eventually(async () => expect((await info()).stats.parkedMessageCount).toBe(1n));
});

test.each(["skip", "stop"] as const)("an event that failed with %s does not come again", async (action) => {
  const { append, connect, info } = await startGroup();
  await append("a", "b");
  const consumer = connect(1);
  await givenNames(consumer, 1);
  await consumer.subscription.nack(action, "no", consumer.last("a"));
  expect(await givenNames(consumer, 2)).toEqual(["a", "b"]);
  await eventually(async () => expect((await info()).stats.lastCheckpointedEventRevision).toBe(0n));
  expect((await info()).stats.parkedMessageCount).toBe(0n);
});

test("parked events come again when they are replayed, up to where the replay stops", async () => {
  const { client, append, connect, info } = await startGroup();
  await append("a", "b", "c");
  const consumer = connect();
  await givenNames(consumer, 3);
  await consumer.subscription.nack("park", "broken", ...consumer.given);
  await eventually(async () => expect((await info()).stats.parkedMessageCount).toBe(3n));
  const [first] = await parkedLinks(client);
  expect(first).toMatchObject({
    target: "0@s",
    metadata: { reason: "Client explicitly NAK'ed message.\nbroken" },
  });

  await client.replayParkedMessagesToStream("s", "g", { stopAt: 2 });
  expect((await givenNames(consumer, 5)).slice(3)).toEqual(["a", "b"]);
  await eventually(async () => expect((await info()).stats.parkedMessageCount).toBe(1n));
  expect(consumer.given.at(-1)?.link?.streamId).toBe("$persistentsubscription-s::g-parked");
  await consumer.subscription.ack(consumer.last("a"));
  await consumer.subscription.nack("park", "still", consumer.last("b"));
  await eventually(async () => expect((await info()).stats.parkedMessageCount).toBe(2n));

  await client.replayParkedMessagesToStream("s", "g");
  expect((await givenNames(consumer, 7)).slice(5)).toEqual(["c", "b"]);
  await eventually(async () => expect((await info()).stats.parkedMessageCount).toBe(0n));
});

test("more parked events than fit into a batch are all replayed", async () => {
  const { client, append, connect, info } = await startGroup({ readBatchSize: 2, historyBufferSize: 5 });
  await append(...numbered(11));
  const consumer = connect(3);
  for (let parked = 0; parked < 11; parked++) {
    await givenNames(consumer, parked + 1);
    await consumer.subscription.nack("park", "no", consumer.last(`${parked}`));
  }
  await eventually(async () => expect((await info()).stats.parkedMessageCount).toBe(11n));
  consumer.ackAll();
  await client.replayParkedMessagesToStream("s", "g");
  expect((await givenNames(consumer, 22)).slice(11)).toEqual(numbered(11));
  await eventually(async () => expect((await info()).stats.parkedMessageCount).toBe(0n));
});

test("what a consumer leaves unanswered goes to another", async () => {
  const { append, connect } = await startGroup();
  const first = connect();
  await first.confirmed;
  await append("a", "b", "c");
  await givenNames(first, 3);
  await first.subscription.ack(first.last("b"));
  const second = connect();
  await second.confirmed;
  await first.subscription.unsubscribe();
  expect(await givenNames(second, 2)).toEqual(["a", "c"]);
});

test("a group on $all gets what its filter lets through, and never what it writes itself", async () => {
  const { client } = await startTestNode();
  const settings = { ...fromStart(), startFrom: "start" } as const;
  await client.createPersistentSubscriptionToAll("every", settings);
  await client.createPersistentSubscriptionToAll("some", settings, {
    filter: { filterOn: "streamName", prefixes: ["wanted-"], checkpointInterval: 1 },
  });
  await client.appendToStream("wanted-1", event("a"));
  await client.appendToStream("other-1", event("b"));
  const last = await client.appendToStream("wanted-2", event("c"));
  const some = listen(client.subscribeToPersistentSubscriptionToAll("some"));
  expect(await givenNames(some, 2)).toEqual(["a", "c"]);
  some.ackAll();
  const every = listen(client.subscribeToPersistentSubscriptionToAll("every"));
  every.ackAll();
  await eventually(async () => {
    const { stats } = await client.getPersistentSubscriptionToAllInfo("some");
    expect(stats.lastCheckpointedEventPosition).toEqual(last.position);
    expect(stats.lastKnownEventPosition).toEqual(last.position);
  });
  await client.appendToStream("end", event("end"));
  await eventually(() => expect(every.names).toContain("end"));
  const own = /^\$persistentsubscription-\$all::/;
  expect(every.given.map((given) => given.event?.streamId)).not.toContainEqual(expect.stringMatching(own));
  const read = await all(client.readAll());
  expect(read.map((resolved) => resolved.event?.streamId)).not.toContainEqual(expect.stringMatching(own));
  expect(await all(client.readStream("$persistentsubscription-$all::some-checkpoint"))).not.toEqual([]);
});

test("links are resolved for a group that wants it, and answered by the link's id", async () => {
  const { client } = await startTestNode();
  await client.appendToStream("target", event("a"));
  await client.createPersistentSubscriptionToStream("s", "g", fromStart({ resolveLinkTos: true }));
  const link = (data: string) => binaryEvent({ type: "$>", data: Buffer.from(data) });
  await client.appendToStream("s", [link("0@target"), link("7@target")]);
  const consumer = listen(client.subscribeToPersistentSubscriptionToStream("s", "g"));
  await eventually(() => expect(consumer.given).toHaveLength(2));
  expect(consumer.given[0]).toMatchObject({ event: { streamId: "target" }, link: { streamId: "s" } });
  expect(consumer.given[1]).toMatchObject({ link: { streamId: "s", revision: 1n } });
  expect(consumer.given[1]?.event).toBeUndefined();
  consumer.ackAll();
  await eventually(async () => {
    const { stats } = await client.getPersistentSubscriptionToStreamInfo("s", "g");
    expect(stats).toMatchObject({ lastCheckpointedEventRevision: 1n, totalInFlightMessages: 0 });
  });
});

test("a parked link is parked as what it stands for", async () => {
  const { client } = await startTestNode();
  await client.appendToStream("target", event("a"));
  await client.createPersistentSubscriptionToStream("s", "g", fromStart({ resolveLinkTos: true }));
  await client.appendToStream("s", binaryEvent({ type: "$>", data: Buffer.from("0@target") }));
  const consumer = listen(client.subscribeToPersistentSubscriptionToStream("s", "g"));
  await givenNames(consumer, 1);
  await consumer.subscription.nack("park", "no", consumer.last("a"));
  await eventually(async () => expect(await parkedLinks(client)).toMatchObject([{ target: "0@target" }]));
});

test("two events with one id are given one after the other", async () => {
  const { client } = await startTestNode();
  const twin = event("twin");
  await client.appendToStream("one", twin);
  await client.appendToStream("two", twin);
  await client.createPersistentSubscriptionToAll(
    "g",
    persistentSubscriptionToAllSettingsFromDefaults({ startFrom: "start" }),
    { filter: { filterOn: "eventType", prefixes: ["Happened"], checkpointInterval: 1 } },
  );
  const consumer = listen(client.subscribeToPersistentSubscriptionToAll("g"));
  await givenNames(consumer, 1);
  expect((await client.getPersistentSubscriptionToAllInfo("g")).stats.readBufferCount).toBe(1);
  await consumer.subscription.ack(consumer.last("twin"));
  await givenNames(consumer, 2);
  expect(consumer.given.map((given) => given.event?.streamId)).toEqual(["one", "two"]);
});

test("a group that measures tells how long its consumers take", async () => {
  const { append, connect, info } = await startGroup({ extraStatistics: true });
  await append("a", "b");
  const consumer = connect();
  consumer.ackAll();
  await givenNames(consumer, 2);
  await eventually(async () => {
    const [connection] = (await info()).connections;
    expect([...(connection?.extraStatistics?.keys() ?? [])]).toEqual(
      expect.arrayContaining(["mean", "median", "fastest", "quintile 1", "99.9%", "highest"]),
    );
    expect(connection).toMatchObject({ username: "anonymous", totalItems: 2n });
  });
});
