import { StreamDeletedError, StreamNotFoundError, WrongExpectedVersionError } from "@eventstore/db-client";
import { expect, test } from "vitest";
import { all, event, names, startTestNode } from "../testing.ts";

test("a deleted stream is not found, and its events stay in $all", async () => {
  const { client } = await startTestNode();
  await client.appendToStream("s", [event("a"), event("b")]);
  const { position } = await client.deleteStream("s");
  expect(position).toEqual({ commit: 3n, prepare: 3n });
  await expect(all(client.readStream("s"))).rejects.toBeInstanceOf(StreamNotFoundError);
  expect(await names(client.readAll({ maxCount: 2 }))).toEqual(["a", "b"]);
});

test.each([
  ["any", "any"],
  ["no_stream", "no_stream"],
  ["its last revision", 1n],
] as const)(
  "a deleted stream is recreated by an append that expects %s, and counts on",
  async (_, expectedRevision) => {
    const { client } = await startTestNode();
    await client.appendToStream("s", [event("a"), event("b")]);
    await client.deleteStream("s");
    const { nextExpectedRevision } = await client.appendToStream("s", [event("c"), event("d")], {
      expectedRevision,
    });
    expect(nextExpectedRevision).toBe(3n);
    const events = await all(client.readStream("s"));
    expect(events.map(({ event }) => event?.revision)).toEqual([2n, 3n]);
  },
);

test("an append that expects a deleted stream to exist finds it deleted", async () => {
  const { client } = await startTestNode();
  await client.appendToStream("s", event("a"));
  await client.deleteStream("s");
  const refused = client.appendToStream("s", event("b"), { expectedRevision: "stream_exists" });
  await expect(refused).rejects.toBeInstanceOf(StreamDeletedError);
});

test("recreating keeps the stream's other metadata", async () => {
  const { client } = await startTestNode();
  await client.appendToStream("s", [event("a"), event("b")]);
  await client.deleteStream("s");
  await client.setStreamMetadata("s", { maxCount: 2 });
  await client.appendToStream("s", [event("c"), event("d"), event("e")]);
  expect(await names(client.readStream("s"))).toEqual(["d", "e"]);
  expect(await client.getStreamMetadata("s")).toMatchObject({ metadata: { maxCount: 2, truncateBefore: 2 } });
});

test("a delete checks the expected revision", async () => {
  const { client } = await startTestNode();
  await client.appendToStream("s", [event("a"), event("b")]);
  for (const remove of [
    () => client.deleteStream("s", { expectedRevision: 0n }),
    () => client.tombstoneStream("s", { expectedRevision: 5n }),
  ]) {
    const refused = remove();
    await expect(refused).rejects.toBeInstanceOf(WrongExpectedVersionError);
    await expect(refused).rejects.toMatchObject({ streamName: "s", actualVersion: 1n });
  }
  const missing = client.deleteStream("nothing", { expectedRevision: 3n });
  await expect(missing).rejects.toMatchObject({ expectedVersion: 3n, actualVersion: "no_stream" });
  await client.deleteStream("s", { expectedRevision: 1n });
  await expect(all(client.readStream("s"))).rejects.toBeInstanceOf(StreamNotFoundError);
});

test("a tombstone is for good", async () => {
  const { client } = await startTestNode();
  await client.appendToStream("s", event("a"));
  const { position } = await client.tombstoneStream("s", { expectedRevision: 0n });
  expect(position).toEqual({ commit: 2n, prepare: 2n });
  for (const attempt of [
    () => client.appendToStream("s", event("b")),
    () => client.deleteStream("s"),
    () => client.tombstoneStream("s"),
    () => all(client.readStream("s")),
  ]) {
    await expect(attempt()).rejects.toBeInstanceOf(StreamDeletedError);
  }
});

test("a stream whose name is not ASCII has its errors too", async () => {
  const { client } = await startTestNode();
  await client.appendToStream("schüler", event("a"));
  await client.tombstoneStream("schüler");
  await expect(all(client.readStream("schüler"))).rejects.toBeInstanceOf(StreamDeletedError);
});
