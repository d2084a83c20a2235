/**
 * The protocol as the official client meets it, one test per behaviour, over TLS with users and without either. The
 * details of each behaviour have tests of their own, named after it.
 */
import { once } from "node:events";
import {
  AccessDeniedError,
  BACKWARDS,
  binaryEvent,
  DeadlineExceededError,
  DISPATCH_TO_SINGLE,
  END,
  type EventStoreDBClient,
  eventTypeFilter,
  excludeSystemEvents,
  MaxAppendSizeExceededError,
  persistentSubscriptionToStreamSettingsFromDefaults,
  StreamDeletedError,
  StreamNotFoundError,
  streamNameFilter,
  WrongExpectedVersionError,
} from "@eventstore/db-client";
import { describe, expect, test } from "vitest";
import type { NodeOptions } from "./index.ts";
import {
  all,
  asUser,
  connect,
  event,
  eventually,
  nameOf,
  names,
  startTestNode,
  temporaryFolder,
  transports,
} from "./testing.ts";

const links = { resolveLinkTos: true };

describe.each(transports)("$transport", ({ transport, options }) => {
  const start = (more: Partial<NodeOptions> = {}) =>
    startTestNode(temporaryFolder(), { ...options, ...more });
  const startWith = async (...written: string[]) => {
    const node = await start();
    for (const name of written) await node.client.appendToStream("s", event(name));
    return node;
  };

  // The client appends in batches, unless credentials come with the call.
  const credentials = { username: "admin", password: "changeit" };
  describe.each([
    ["batch", {}],
    ["unary", { credentials }],
  ])("append, %s", (_, how) => {
    const append = (
      client: EventStoreDBClient,
      name: string,
      expectedRevision: "any" | "no_stream" | bigint,
    ) => client.appendToStream("s", event(name), { expectedRevision, ...how });

    test("answers where the event is", async () => {
      const { client } = await start();
      const first = await append(client, "a", "no_stream");
      const second = await append(client, "b", 0n);
      expect([first.nextExpectedRevision, second.nextExpectedRevision]).toEqual([0n, 1n]);
      expect(second.position?.commit).toBe((first.position?.commit ?? 0n) + 1n);
    });

    test("refuses a stream that is at another revision", async () => {
      const { client } = await startWith("a");
      const refused = append(client, "b", "no_stream");
      await expect(refused).rejects.toBeInstanceOf(WrongExpectedVersionError);
      await expect(append(client, "b", 5n)).rejects.toMatchObject({ actualVersion: 0n });
    });

    test("is written once however often it is sent", async () => {
      const { client } = await start();
      const same = [event("a"), event("b")];
      for (const expectedRevision of ["any", "no_stream", "any"] as const) {
        const { nextExpectedRevision } = await client.appendToStream("s", same, { expectedRevision, ...how });
        expect(nextExpectedRevision).toBe(1n);
      }
      expect(await names(client.readStream("s"))).toEqual(["a", "b"]);
    });

    test("is refused when only a part of it was written before", async () => {
      const { client } = await start();
      const before = event("a");
      await client.appendToStream("s", before, how);
      for (const expectedRevision of ["any", "no_stream"] as const) {
        const partly = client.appendToStream("s", [before, event("b")], { expectedRevision, ...how });
        await expect(partly).rejects.toBeInstanceOf(WrongExpectedVersionError);
      }
      expect(await names(client.readStream("s"))).toEqual(["a"]);
    });

    test("refuses more than 1 MiB", async () => {
      const { client } = await start();
      const big = binaryEvent({ type: "Big", data: new Uint8Array(1024 * 1024) });
      const refused = client.appendToStream("s", big, how);
      await expect(refused).rejects.toBeInstanceOf(MaxAppendSizeExceededError);
      await expect(refused).rejects.toMatchObject({ maxAppendSize: 1024 * 1024 });
    });

    test("refuses a stream that was ended", async () => {
      const { client } = await startWith("a");
      await client.tombstoneStream("s");
      await expect(append(client, "b", "any")).rejects.toBeInstanceOf(StreamDeletedError);
    });
  });

  test("an append past its deadline is refused and not written", async () => {
    const { client } = await startWith("a");
    const late = client.appendToStream("s", event("b"), { deadline: -1000 });
    await expect(late).rejects.toBeInstanceOf(DeadlineExceededError);
    expect(await names(client.readStream("s"))).toEqual(["a"]);
  });

  test("a stream is read forwards and backwards, from a revision on", async () => {
    const { client } = await startWith("a", "b", "c");
    expect(await names(client.readStream("s", { fromRevision: 1n }))).toEqual(["b", "c"]);
    const backwards = { direction: BACKWARDS, fromRevision: END, maxCount: 2 } as const;
    expect(await names(client.readStream("s", backwards))).toEqual(["c", "b"]);
  });

  test("a stream that was never written is not found", async () => {
    const { client } = await start();
    await expect(all(client.readStream("s"))).rejects.toBeInstanceOf(StreamNotFoundError);
  });

  test("$all is read from a position on, that event included", async () => {
    const { client } = await startWith("a");
    const { position } = await client.appendToStream("t", event("b"));
    const fromPosition = position ?? { commit: 0n, prepare: 0n };
    expect(await names(client.readAll({ fromPosition }))).toEqual(["b"]);
    expect(await names(client.readAll({ fromPosition, direction: BACKWARDS, maxCount: 1 }))).toEqual(["a"]);
  });

  test("a subscription gets what is there, word that this is all, and then what is appended", async () => {
    const { client } = await startWith("a");
    const subscription = client.subscribeToStream("s");
    const heard: unknown[] = [];
    subscription.on("data", (event) => heard.push(nameOf(event)));
    await once(subscription, "caughtUp");
    await client.appendToStream("s", event("b"));
    await eventually(() => expect(heard).toEqual(["a", "b"]));
  });

  test("a subscription to $all begins after the position that it names", async () => {
    const { client } = await startWith("a");
    const { position } = await client.appendToStream("s", event("b"));
    await client.appendToStream("t", event("c"));
    const fromPosition = position ?? { commit: 0n, prepare: 0n };
    expect(await names(client.subscribeToAll({ fromPosition }).take(1))).toEqual(["c"]);
  });

  test.each([
    ["event type, prefix", eventTypeFilter({ prefixes: ["Wan"] })],
    ["event type, regex", eventTypeFilter({ regex: "^W.*d$" })],
    ["stream name, prefix", streamNameFilter({ prefixes: ["wan", "other"] })],
    ["stream name, regex", streamNameFilter({ regex: "ted$" })],
  ])("a subscription is filtered by %s", async (_, filter) => {
    const { client } = await startWith("a");
    await client.appendToStream("wanted", event("b", "Wanted"));
    expect(await names(client.subscribeToAll({ filter }).take(1))).toEqual(["b"]);
  });

  test("a subscription leaves out system events", async () => {
    const { client } = await startWith("a");
    await client.setStreamMetadata("s", { maxCount: 9 });
    await client.appendToStream("s", event("b"));
    const heard = await all(client.subscribeToAll({ filter: excludeSystemEvents() }).take(2));
    expect(heard.map(nameOf)).toEqual(["a", "b"]);
  });

  test("a filtered subscription hears how far the search has come", async () => {
    const { client } = await startWith(..."abcdefgh");
    const filter = eventTypeFilter({ prefixes: ["Nothing"], maxSearchWindow: 2, checkpointInterval: 2 });
    const checkpoints: bigint[] = [];
    const filtered = client.subscribeToAll({
      filter: { ...filter, checkpointReached: (_, { commit }) => void checkpoints.push(commit) },
    });
    filtered.resume();
    await eventually(() => expect(checkpoints.length).toBeGreaterThanOrEqual(2));
    expect((checkpoints[1] ?? 0n) - (checkpoints[0] ?? 0n)).toBe(4n);
  });

  test("a deleted stream is gone until it is written again, its revisions go on", async () => {
    const { client } = await startWith("a", "b");
    await client.deleteStream("s", { expectedRevision: 1n });
    await expect(all(client.readStream("s"))).rejects.toBeInstanceOf(StreamNotFoundError);
    expect((await client.appendToStream("s", event("c"))).nextExpectedRevision).toBe(2n);
    expect(await names(client.readStream("s"))).toEqual(["c"]);
    expect(await names(client.readAll())).toEqual(expect.arrayContaining(["a", "b", "c"]));
  });

  test("deletes check the expected revision", async () => {
    const { client } = await startWith("a");
    const refused = client.deleteStream("s", { expectedRevision: 3n });
    await expect(refused).rejects.toBeInstanceOf(WrongExpectedVersionError);
  });

  test("system events are in $all", async () => {
    const { client } = await startWith("a");
    await client.deleteStream("s");
    await client.tombstoneStream("s");
    const types = (await all(client.readAll())).map(({ event }) => event?.type);
    expect(types.slice(-2)).toEqual(["$metadata", "$streamDeleted"]);
  });

  test.each([
    ["$maxCount", { maxCount: 1 }, ["c"]],
    ["$truncateBefore", { truncateBefore: 1 }, ["b", "c"]],
    ["$maxAge", { maxAge: 1_000_000 }, ["a", "b", "c"]],
  ])("reads obey %s", async (_, metadata, expected) => {
    const { client } = await startWith("a", "b", "c");
    await client.setStreamMetadata("s", metadata);
    expect(await client.getStreamMetadata("s")).toMatchObject({ metadata });
    expect(await names(client.readStream("s"))).toEqual(expected);
  });

  test("links are resolved, and projections make them", async () => {
    const { client } = await start({ runProjections: "System", startStandardProjections: true });
    await client.appendToStream("user-1", event("a", "Born"));
    for (const stream of ["$ce-user", "$et-Born"]) {
      const read = () => names(client.readStream(stream, links));
      await eventually(async () => expect(await read()).toEqual(["a"]));
    }
  });

  test("projections of your own are refused", async () => {
    const { client } = await start({ runProjections: "System" });
    await expect(client.createProjection("mine", "fromAll()")).rejects.toThrow("JavaScript");
  });

  test("a persistent subscription delivers until an event is acknowledged", async () => {
    const { client } = await startWith("a", "b");
    const settings = persistentSubscriptionToStreamSettingsFromDefaults({
      startFrom: "start",
      consumerStrategyName: DISPATCH_TO_SINGLE,
    });
    await client.createPersistentSubscriptionToStream("s", "group", settings);
    const subscription = client.subscribeToPersistentSubscriptionToStream("s", "group");
    const heard: unknown[] = [];
    for await (const resolved of subscription) {
      heard.push(nameOf(resolved));
      await subscription.ack(resolved);
      if (heard.length === 2) break;
    }
    expect(heard).toEqual(["a", "b"]);
  });

  test("a client that discovers its cluster finds one leader", async () => {
    const { url } = await startWith("a");
    const discovering = url.replace("esdb:", "esdb+discover:");
    const client = connect(transport === "tls" ? asUser(discovering, "admin") : discovering);
    expect(await names(client.readStream("s"))).toEqual(["a"]);
  });

  test("what was written is there after a restart", async () => {
    const dir = temporaryFolder();
    const first = await startTestNode(dir, options);
    await first.client.appendToStream("s", event("a"));
    await first.stop();
    const second = await startTestNode(dir, options);
    expect(await names(second.client.readStream("s"))).toEqual(["a"]);
  });

  test("access is denied by lists where there are users, and not where there are none", async () => {
    const { url, client } = await startWith("a");
    await client.setStreamMetadata("s", { acl: { readRoles: ["$admins"] } });
    const reading = all(connect(transport === "tls" ? asUser(url, "ops") : url).readStream("s"));
    if (transport === "tls") await expect(reading).rejects.toBeInstanceOf(AccessDeniedError);
    else expect(await reading).toHaveLength(1);
  });
});
