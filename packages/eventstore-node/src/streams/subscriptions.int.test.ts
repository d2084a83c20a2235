import { once } from "node:events";
import {
  type AllStreamResolvedEvent,
  END,
  type EventType,
  eventTypeFilter,
  excludeSystemEvents,
  type Position,
  type ResolvedEvent,
  START,
  StreamDeletedError,
  streamNameFilter,
} from "@eventstore/db-client";
import { describe, expect, test } from "vitest";
import { event, eventually, nameOf, startTestNode } from "../testing.ts";

interface Subscription extends NodeJS.EventEmitter {
  unsubscribe(): Promise<void>;
}

/** Collects what a subscription gives: the names of events, and "caught up". */
function collect(subscription: Subscription): unknown[] {
  const seen: unknown[] = [];
  subscription.on("data", (resolved: ResolvedEvent<EventType>) => seen.push(nameOf(resolved)));
  subscription.on("caughtUp", () => seen.push("caught up"));
  return seen;
}

const at = (commit: bigint): Position => ({ commit, prepare: commit });

describe("a subscription to $all", () => {
  test("gives what is there, says that it has caught up, then gives what comes", async () => {
    const { client } = await startTestNode();
    await client.appendToStream("one", [event("a"), event("b")]);
    const seen = collect(client.subscribeToAll());
    await eventually(() => expect(seen).toEqual(["a", "b", "caught up"]));
    await client.appendToStream("two", event("c"));
    await client.appendToStream("one", [event("d"), event("e")]);
    await eventually(() => expect(seen).toEqual(["a", "b", "caught up", "c", "d", "e"]));
  });

  test("is confirmed with an id", async () => {
    const { client } = await startTestNode();
    const subscription = client.subscribeToAll();
    await once(subscription, "confirmation");
    expect(subscription.id).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("from a position starts after it", async () => {
    const { client } = await startTestNode();
    await client.appendToStream("one", [event("a"), event("b"), event("c")]);
    const seen = collect(client.subscribeToAll({ fromPosition: at(2n) }));
    await eventually(() => expect(seen).toEqual(["c", "caught up"]));
  });

  test("from the end gives only what comes", async () => {
    const { client } = await startTestNode();
    await client.appendToStream("one", event("a"));
    const seen = collect(client.subscribeToAll({ fromPosition: END }));
    await eventually(() => expect(seen).toEqual(["caught up"]));
    await client.appendToStream("one", event("b"));
    await eventually(() => expect(seen).toEqual(["caught up", "b"]));
  });

  test("from a position that the log does not have yet is refused", async () => {
    const { client } = await startTestNode();
    await client.appendToStream("one", event("a"));
    const subscription = client.subscribeToAll({ fromPosition: at(5n) });
    const [error] = await once(subscription, "error");
    expect(String(error)).toMatch("position 5 is past the end of the log, 1");
  });

  test("that starts in the middle of appends misses none and repeats none", async () => {
    const { client } = await startTestNode();
    const seen: unknown[] = [];
    const appends: Promise<unknown>[] = [];
    for (let n = 0; n < 600; n++) {
      appends.push(client.appendToStream(`s-${n % 7}`, event(`${n}`)));
      if (n === 200) {
        client
          .subscribeToAll()
          .on("data", ({ event }: AllStreamResolvedEvent) => seen.push(event?.position?.commit));
      }
      if (n % 50 === 0) await appends.at(-1);
    }
    await Promise.all(appends);
    const every = Array.from({ length: 600 }, (_, n) => BigInt(n + 1));
    await eventually(() => expect(seen).toEqual(every));
  });

  test("ends when it is left, and others go on", async () => {
    const { client } = await startTestNode();
    const left = client.subscribeToAll();
    const leftSeen = collect(left);
    const seen = collect(client.subscribeToAll());
    await eventually(() => expect([leftSeen, seen]).toEqual([["caught up"], ["caught up"]]));
    await left.unsubscribe();
    await client.appendToStream("one", event("a"));
    await eventually(() => expect(seen).toEqual(["caught up", "a"]));
    expect(leftSeen).toEqual(["caught up"]);
  });
});

describe("a filtered subscription to $all", () => {
  test.each([
    ["event type prefixes", eventTypeFilter({ prefixes: ["Room", "User"] }), ["b", "c"]],
    ["an event type regex", eventTypeFilter({ regex: "^.*Opened$" }), ["a", "b"]],
    ["stream name prefixes", streamNameFilter({ prefixes: ["class-", "user-"] }), ["a", "c"]],
    ["a stream name regex", streamNameFilter({ regex: "^(room|user)-\\d$" }), ["b", "c"]],
    ["no system events", excludeSystemEvents(), ["a", "b", "c"]],
  ])("by %s gives what matches, old and new", async (_, filter, expected) => {
    const { client } = await startTestNode();
    const appendAll = async () => {
      await client.appendToStream("class-1", event("a", "ClassOpened"));
      await client.appendToStream("room-2", event("b", "RoomOpened"));
      await client.setStreamMetadata("room-2", { maxCount: 100 });
      await client.appendToStream("user-3", event("c", "UserEnrolled"));
    };
    await appendAll();
    const seen = collect(client.subscribeToAll({ filter }));
    await eventually(() => expect(seen).toEqual([...expected, "caught up"]));
    await appendAll();
    await eventually(() => expect(seen).toEqual([...expected, "caught up", ...expected]));
  });

  test("with a regex that is not one is refused", async () => {
    const { client } = await startTestNode();
    const subscription = client.subscribeToAll({ filter: eventTypeFilter({ regex: "(" }) });
    const [error] = await once(subscription, "error");
    expect(String(error)).toMatch("regular expression is not valid");
  });

  test("gives a checkpoint after every multiplier times window events, matching or not", async () => {
    const { client } = await startTestNode();
    const appendTen = () =>
      client.appendToStream(
        "one",
        Array.from({ length: 10 }, (_, n) => event(`${n}`)),
      );
    await appendTen();
    const checkpoints: bigint[] = [];
    const filter = eventTypeFilter({
      prefixes: ["Nothing"],
      maxSearchWindow: 2,
      checkpointInterval: 3,
      checkpointReached: async (_, position) => void checkpoints.push(position.commit),
    });
    const seen = collect(client.subscribeToAll({ filter }));
    await eventually(() => expect(seen).toEqual(["caught up"]));
    expect(checkpoints).toEqual([6n]);
    await appendTen();
    await eventually(() => expect(checkpoints).toEqual([6n, 12n, 18n]));
  });

  test("looks at 32 events between checkpoints unless told", async () => {
    const { client } = await startTestNode();
    await client.appendToStream(
      "one",
      Array.from({ length: 100 }, (_, n) => event(`${n}`)),
    );
    const checkpoints: bigint[] = [];
    const filter = streamNameFilter({
      prefixes: ["nothing"],
      checkpointReached: async (_, position) => void checkpoints.push(position.commit),
    });
    client.subscribeToAll({ filter }).resume();
    await eventually(() => expect(checkpoints).toEqual([32n, 64n, 96n]));
  });
});

describe("a subscription to a stream", () => {
  test("gives what is there, says that it has caught up, then gives what comes", async () => {
    const { client } = await startTestNode();
    await client.appendToStream("s", [event("a"), event("b")]);
    await client.appendToStream("other", event("x"));
    const seen = collect(client.subscribeToStream("s", { fromRevision: START }));
    await eventually(() => expect(seen).toEqual(["a", "b", "caught up"]));
    await client.appendToStream("other", event("y"));
    await client.appendToStream("s", event("c"));
    await eventually(() => expect(seen).toEqual(["a", "b", "caught up", "c"]));
  });

  test("from a revision starts after it, from the end with what comes", async () => {
    const { client } = await startTestNode();
    await client.appendToStream("s", [event("a"), event("b"), event("c")]);
    const afterRevision = collect(client.subscribeToStream("s", { fromRevision: 0n }));
    const fromEnd = collect(client.subscribeToStream("s", { fromRevision: END }));
    await eventually(() => expect(afterRevision).toEqual(["b", "c", "caught up"]));
    await eventually(() => expect(fromEnd).toEqual(["caught up"]));
    await client.appendToStream("s", event("d"));
    await eventually(() => expect(afterRevision).toEqual(["b", "c", "caught up", "d"]));
    await eventually(() => expect(fromEnd).toEqual(["caught up", "d"]));
  });

  test("waits for a stream that is not there yet", async () => {
    const { client } = await startTestNode();
    const seen = collect(client.subscribeToStream("later"));
    await eventually(() => expect(seen).toEqual(["caught up"]));
    await client.appendToStream("later", event("a"));
    await eventually(() => expect(seen).toEqual(["caught up", "a"]));
  });

  test("goes on when its stream is soft-deleted and recreated", async () => {
    const { client } = await startTestNode();
    await client.appendToStream("s", event("a"));
    const seen = collect(client.subscribeToStream("s"));
    await eventually(() => expect(seen).toEqual(["a", "caught up"]));
    await client.deleteStream("s");
    await client.appendToStream("s", event("b"));
    await eventually(() => expect(seen).toEqual(["a", "caught up", "b"]));
  });

  test("ends with StreamDeletedError when its stream is tombstoned", async () => {
    const { client } = await startTestNode();
    await client.appendToStream("s", event("a"));
    const subscription = client.subscribeToStream("s");
    const seen = collect(subscription);
    await eventually(() => expect(seen).toEqual(["a", "caught up"]));
    const failed = once(subscription, "error");
    await client.tombstoneStream("s");
    expect((await failed)[0]).toBeInstanceOf(StreamDeletedError);
  });
});
