import { BACKWARDS, END, jsonEvent } from "@eventstore/db-client";
import { expect, test } from "vitest";
import { all, event, eventually, names, startTestNode } from "../testing.ts";

const five = ["a", "b", "c", "d", "e"].map((name) => event(name));

test("metadata that was set can be read, and none is none", async () => {
  const { client } = await startTestNode();
  expect(await client.getStreamMetadata("s")).toEqual({ streamName: "s" });
  const metadata = { maxCount: 10, maxAge: 60, acl: { readRoles: ["$admins"] }, colour: "blue" };
  await client.setStreamMetadata("s", metadata, { expectedRevision: "no_stream" });
  expect(await client.getStreamMetadata("s")).toMatchObject({ streamName: "s", metadata });
});

test("of a metadata stream only the last event is kept", async () => {
  const { client } = await startTestNode();
  await client.setStreamMetadata("s", { maxCount: 1 });
  await client.setStreamMetadata("s", { maxCount: 2 });
  const kept = await all(client.readStream("$$s"));
  expect(kept.map(({ event }) => event?.data)).toEqual([{ $maxCount: 2 }]);
});

test("$maxCount keeps the last events of a stream, in $all nothing is lost", async () => {
  const { client } = await startTestNode();
  await client.appendToStream("s", five);
  await client.setStreamMetadata("s", { maxCount: 2 });
  expect(await names(client.readStream("s"))).toEqual(["d", "e"]);
  expect(await names(client.readStream("s", { direction: BACKWARDS, fromRevision: END }))).toEqual([
    "e",
    "d",
  ]);
  await client.appendToStream("s", event("f"));
  expect(await names(client.readStream("s", { fromRevision: 1n }))).toEqual(["e", "f"]);
  expect(await names(client.readAll())).toHaveLength(7);
});

test("$truncateBefore hides what is before it", async () => {
  const { client } = await startTestNode();
  await client.appendToStream("s", five);
  await client.setStreamMetadata("s", { truncateBefore: 3 });
  expect(await names(client.readStream("s"))).toEqual(["d", "e"]);
  await client.setStreamMetadata("s", { truncateBefore: 9 });
  expect(await names(client.readStream("s"))).toEqual([]);
});

test("$maxAge hides what is older", async () => {
  const { client } = await startTestNode();
  await client.appendToStream("s", event("old"));
  await client.setStreamMetadata("s", { maxAge: 1 });
  await eventually(async () => expect(await names(client.readStream("s"))).toEqual([]));
  await client.appendToStream("s", event("new"));
  expect(await names(client.readStream("s"))).toEqual(["new"]);
  expect(await names(client.readStream("s", { direction: BACKWARDS, fromRevision: END }))).toEqual(["new"]);
});

test("a subscription obeys the metadata of its stream", async () => {
  const { client } = await startTestNode();
  await client.appendToStream("s", five);
  await client.setStreamMetadata("s", { truncateBefore: 3 });
  const subscription = client.subscribeToStream("s");
  expect(await names(subscription.take(2))).toEqual(["d", "e"]);
});

test("metadata that is no JSON object counts as none", async () => {
  const { client } = await startTestNode();
  await client.appendToStream("s", five);
  await client.appendToStream("$$s", jsonEvent({ type: "$metadata", data: [1] as never }));
  expect(await names(client.readStream("s"))).toHaveLength(5);
});
