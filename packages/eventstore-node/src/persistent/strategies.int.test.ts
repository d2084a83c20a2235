import { type EventStoreDBClient, jsonEvent } from "@eventstore/db-client";
import { PersistentSubscriptionsClient } from "@eventstore/db-client/generated/persistent_grpc_pb.js";
import persistent from "@eventstore/db-client/generated/persistent_pb.js";
import shared from "@eventstore/db-client/generated/shared_pb.js";
import { credentials, type ServiceError } from "@grpc/grpc-js";
import { expect, onTestFinished, test } from "vitest";
import { event, eventually, nameOf, startTestNode } from "../testing.ts";
import { fromStart, type Listener, listen } from "./testing.ts";

/** Two consumers of a group on `$all` or `s`, in the order in which they connected. */
async function connectTwo(client: EventStoreDBClient, source: "$all" | "s"): Promise<[Listener, Listener]> {
  const connect = () =>
    listen(
      source === "$all"
        ? client.subscribeToPersistentSubscriptionToAll("g", { bufferSize: 20 })
        : client.subscribeToPersistentSubscriptionToStream("s", "g", { bufferSize: 20 }),
    );
  const first = connect();
  await first.confirmed;
  const second = connect();
  await second.confirmed;
  return [first, second];
}

const total = (listeners: readonly Listener[]) => listeners.reduce((sum, { given }) => sum + given.length, 0);

test.each([
  [
    "RoundRobin",
    [
      ["0", "2"],
      ["1", "3"],
    ],
  ],
  ["DispatchToSingle", [["0", "1", "2", "3"], []]],
] as const)("%s shares events out by its rule", async (consumerStrategyName, expected) => {
  const { client } = await startTestNode();
  await client.createPersistentSubscriptionToStream("s", "g", fromStart({ consumerStrategyName }));
  const listeners = await connectTwo(client, "s");
  await client.appendToStream(
    "s",
    ["0", "1", "2", "3"].map((name) => event(name)),
  );
  await eventually(() => expect(total(listeners)).toBe(4));
  expect(listeners.map(({ names }) => names)).toEqual(expected);
});

test("Pinned gives each stream to one consumer", async () => {
  const { client } = await startTestNode();
  await client.createPersistentSubscriptionToAll(
    "g",
    { ...fromStart({ consumerStrategyName: "Pinned" }), startFrom: "start" },
    { filter: { filterOn: "streamName", prefixes: ["stream-"], checkpointInterval: 1 } },
  );
  const listeners = await connectTwo(client, "$all");
  for (const name of ["0", "1", "2"]) {
    for (const stream of ["stream-a", "stream-b", "stream-c"])
      await client.appendToStream(stream, event(name));
  }
  await eventually(() => expect(total(listeners)).toBe(9));
  const streams = listeners.map(({ given }) => new Set(given.map((resolved) => resolved.event?.streamId)));
  expect(streams.map(({ size }) => size).sort()).toEqual([1, 2]);
  for (const { given } of listeners) {
    for (const stream of new Set(given.map((resolved) => resolved.event?.streamId))) {
      const names = given.filter((resolved) => resolved.event?.streamId === stream).map(nameOf);
      expect(names).toEqual(["0", "1", "2"]);
    }
  }
});

test("PinnedByCorrelation gives each correlation id to one consumer", async () => {
  const { client, port } = await startTestNode();
  await createByName(port, "PinnedByCorrelation");
  const info = await client.getPersistentSubscriptionToStreamInfo("s", "g");
  expect(info.settings.consumerStrategyName).toBe("PinnedByCorrelation");
  const listeners = await connectTwo(client, "s");
  await client.appendToStream(
    "s",
    ["x", "y", "x", "y", "x"].map((name) =>
      jsonEvent({ type: "Happened", data: { name }, metadata: { $correlationId: name } }),
    ),
  );
  await eventually(() => expect(total(listeners)).toBe(5));
  expect(listeners.map(({ names }) => names)).toEqual([
    ["x", "x", "x"],
    ["y", "y"],
  ]);
});

test("a strategy that does not exist is refused", async () => {
  const { port } = await startTestNode();
  await expect(createByName(port, "Loudest")).rejects.toMatchObject({
    details: expect.stringContaining("Consumer strategy Loudest does not exist."),
  });
});

/** The client sends no strategy by name yet; newer ones do. */
function createByName(port: number, strategy: string): Promise<void> {
  const service = new PersistentSubscriptionsClient(`127.0.0.1:${port}`, credentials.createInsecure());
  onTestFinished(() => service.close());
  const settings = new persistent.CreateReq.Settings()
    .setConsumerStrategy(strategy)
    .setHistoryBufferSize(500)
    .setReadBatchSize(20);
  const stream = new persistent.CreateReq.StreamOptions()
    .setStreamIdentifier(new shared.StreamIdentifier().setStreamName(Buffer.from("s").toString("base64")))
    .setStart(new shared.Empty());
  const options = new persistent.CreateReq.Options()
    .setGroupName("g")
    .setStream(stream)
    .setSettings(settings);
  return new Promise((resolve, reject) => {
    service.create(new persistent.CreateReq().setOptions(options), (error: ServiceError | null) =>
      error === null ? resolve() : reject(error),
    );
  });
}
