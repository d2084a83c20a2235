import {
  BACKWARDS,
  END,
  type EventStoreDBClient,
  START,
  StreamDeletedError,
  StreamNotFoundError,
} from "@eventstore/db-client";
import { describe, expect, test } from "vitest";
import { all, event, nameOf, names, startTestNode } from "../testing.ts";

async function nodeWith(streams: Record<string, string[]>): Promise<EventStoreDBClient> {
  const { client } = await startTestNode();
  for (const [stream, events] of Object.entries(streams)) {
    await client.appendToStream(
      stream,
      events.map((name) => event(name)),
    );
  }
  return client;
}

describe("reading a stream", () => {
  const abcde = { s: ["a", "b", "c", "d", "e"], other: ["x"] };

  test.each([
    ["all of it", {}, ["a", "b", "c", "d", "e"]],
    ["so many", { maxCount: 2 }, ["a", "b"]],
    ["from a revision on, this one included", { fromRevision: 2n }, ["c", "d", "e"]],
    ["so many from a revision on", { fromRevision: 1n, maxCount: 3 }, ["b", "c", "d"]],
    ["nothing past its end", { fromRevision: 5n }, []],
    ["backwards", { direction: BACKWARDS, fromRevision: END }, ["e", "d", "c", "b", "a"]],
    ["so many backwards", { direction: BACKWARDS, fromRevision: END, maxCount: 1 }, ["e"]],
    [
      "backwards from a revision, this one included",
      { direction: BACKWARDS, fromRevision: 2n },
      ["c", "b", "a"],
    ],
    ["backwards from past its end", { direction: BACKWARDS, fromRevision: 99n, maxCount: 1 }, ["e"]],
    ["backwards from its start", { direction: BACKWARDS, fromRevision: START }, ["a"]],
  ] as const)("gives %s", async (_, options, expected) => {
    const client = await nodeWith(abcde);
    expect(await names(client.readStream("s", options))).toEqual(expected);
  });

  test("that is not there is a StreamNotFoundError", async () => {
    const client = await nodeWith(abcde);
    const read = all(client.readStream("nothing"));
    await expect(read).rejects.toBeInstanceOf(StreamNotFoundError);
    await expect(read).rejects.toMatchObject({ streamName: "nothing" });
  });

  test("that is tombstoned is a StreamDeletedError", async () => {
    const client = await nodeWith(abcde);
    await client.tombstoneStream("s");
    const read = all(client.readStream("s"));
    await expect(read).rejects.toBeInstanceOf(StreamDeletedError);
    await expect(read).rejects.toMatchObject({ streamName: "s" });
  });

  test("gives every event of a long one, in order, with its content", async () => {
    const { client } = await startTestNode();
    const texts = Array.from({ length: 3000 }, (_, n) => `${n} ${"x".repeat((n * 37) % 4000)}`);
    for (let n = 0; n < texts.length; n += 100) {
      await client.appendToStream(
        "long",
        texts.slice(n, n + 100).map((text) => event(text)),
      );
    }
    expect(await names(client.readStream("long"))).toEqual(texts);
    expect(await names(client.readStream("long", { direction: BACKWARDS, fromRevision: END }))).toEqual(
      texts.toReversed(),
    );
    expect(await names(client.readAll())).toEqual(texts);
  });
});

describe("reading $all", () => {
  const streams = { one: ["a", "b"], two: ["c"], three: ["d", "e"] };
  const at = (commit: bigint) => ({ commit, prepare: commit });

  test.each([
    ["all events in the order of their appends", {}, ["a", "b", "c", "d", "e"]],
    ["so many", { maxCount: 3 }, ["a", "b", "c"]],
    ["from a position on, its event included", { fromPosition: at(3n) }, ["c", "d", "e"]],
    ["nothing from its end on", { fromPosition: END }, []],
    ["backwards", { direction: BACKWARDS, fromPosition: END }, ["e", "d", "c", "b", "a"]],
    ["so many backwards", { direction: BACKWARDS, fromPosition: END, maxCount: 2 }, ["e", "d"]],
    ["backwards what is before a position", { direction: BACKWARDS, fromPosition: at(3n) }, ["b", "a"]],
    ["nothing backwards from its start", { direction: BACKWARDS, fromPosition: START }, []],
  ] as const)("gives %s", async (_, options, expected) => {
    const client = await nodeWith(streams);
    expect(await names(client.readAll(options))).toEqual(expected);
  });

  test("gives positions that rise by one, and with each the way to go on", async () => {
    const client = await nodeWith(streams);
    const events = await all(client.readAll());
    expect(events.map(({ event }) => event?.position?.commit)).toEqual([1n, 2n, 3n, 4n, 5n]);
    for (const { event, commitPosition } of events) {
      expect(event?.position).toEqual({ commit: commitPosition, prepare: commitPosition });
    }
  });

  test("gives nothing when nothing was appended", async () => {
    const { client } = await startTestNode();
    expect(await names(client.readAll())).toEqual([]);
    expect(await names(client.readAll({ direction: BACKWARDS, fromPosition: END }))).toEqual([]);
  });

  test("shows system events too", async () => {
    const client = await nodeWith({ s: ["a"] });
    await client.setStreamMetadata("s", { maxCount: 3 });
    await client.tombstoneStream("s");
    const types = (await all(client.readAll())).map(({ event }) => event?.type);
    expect(types).toEqual(["Happened", "$metadata", "$streamDeleted"]);
  });
});

test("a read that is left early does not disturb the next one", async () => {
  const client = await nodeWith({ s: Array.from({ length: 2000 }, (_, n) => `${n}`) });
  for await (const resolved of client.readAll()) {
    if (nameOf(resolved) === "5") break;
  }
  expect(await names(client.readAll({ maxCount: 2 }))).toEqual(["0", "1"]);
});
