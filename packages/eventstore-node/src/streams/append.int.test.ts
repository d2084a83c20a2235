import {
  type AppendToStreamOptions,
  binaryEvent,
  type EventStoreDBClient,
  jsonEvent,
  MaxAppendSizeExceededError,
  StreamDeletedError,
  WrongExpectedVersionError,
} from "@eventstore/db-client";
import { describe, expect, test } from "vitest";
import { all, connect, event, names, startTestNode } from "../testing.ts";

/** The client sends an append with credentials as a unary call and one without as part of its batch call. */
const calls: { call: string; options: AppendToStreamOptions }[] = [
  { call: "batch", options: {} },
  { call: "unary", options: { credentials: { username: "nobody", password: "asks" } } },
];

describe.each(calls)("$call append", ({ options }) => {
  const append = (
    client: EventStoreDBClient,
    stream: string,
    expectedRevision: AppendToStreamOptions["expectedRevision"] & {},
    events: Parameters<EventStoreDBClient["appendToStream"]>[1],
  ) => client.appendToStream(stream, events, { ...options, expectedRevision });

  test("answers the revision and position of its last event", async () => {
    const { client } = await startTestNode();
    const first = await append(client, "s", "any", [event("a"), event("b")]);
    expect(first).toEqual({ success: true, nextExpectedRevision: 1n, position: { commit: 2n, prepare: 2n } });
    const second = await append(client, "s", "any", event("c"));
    expect(second).toEqual({
      success: true,
      nextExpectedRevision: 2n,
      position: { commit: 3n, prepare: 3n },
    });
  });

  test("no_stream is refused once the stream has events", async () => {
    const { client } = await startTestNode();
    await append(client, "s", "no_stream", [event("a"), event("b")]);
    const refused = append(client, "s", "no_stream", event("c"));
    await expect(refused).rejects.toBeInstanceOf(WrongExpectedVersionError);
    await expect(refused).rejects.toMatchObject({
      streamName: "s",
      expectedVersion: "no_stream",
      actualVersion: 1n,
    });
  });

  test("stream_exists is refused while the stream has no events", async () => {
    const { client } = await startTestNode();
    const refused = append(client, "s", "stream_exists", event("a"));
    await expect(refused).rejects.toBeInstanceOf(WrongExpectedVersionError);
    await expect(refused).rejects.toMatchObject({
      expectedVersion: "stream_exists",
      actualVersion: "no_stream",
    });
    await append(client, "s", "any", event("a"));
    await append(client, "s", "stream_exists", event("b"));
    expect(await names(client.readStream("s"))).toEqual(["a", "b"]);
  });

  test("a revision is refused unless it is the current one", async () => {
    const { client } = await startTestNode();
    await append(client, "s", "no_stream", event("a"));
    await append(client, "s", 0n, event("b"));
    const refused = append(client, "s", 7n, event("c"));
    await expect(refused).rejects.toBeInstanceOf(WrongExpectedVersionError);
    await expect(refused).rejects.toMatchObject({ expectedVersion: 7n, actualVersion: 1n });
    expect(await names(client.readStream("s"))).toEqual(["a", "b"]);
  });

  test.each(["any", "no_stream"] as const)(
    "a retry that expects %s answers as the first time",
    async (expected) => {
      const { client } = await startTestNode();
      const events = [event("a"), event("b")];
      const first = await append(client, "s", expected, events);
      await append(client, "s", "any", event("c"));
      expect(await append(client, "s", expected, events)).toEqual(first);
      expect(await names(client.readStream("s"))).toEqual(["a", "b", "c"]);
    },
  );

  test("a retry that expects a revision answers as the first time", async () => {
    const { client } = await startTestNode();
    await append(client, "s", "any", event("a"));
    const events = [event("b"), event("c")];
    const first = await append(client, "s", 0n, events);
    expect(await append(client, "s", 0n, events)).toEqual(first);
    expect(await names(client.readStream("s"))).toEqual(["a", "b", "c"]);
  });

  test("a retry with other events after the first is a wrong version", async () => {
    const { client } = await startTestNode();
    const a = event("a");
    await append(client, "s", "no_stream", [a, event("b")]);
    await expect(append(client, "s", "no_stream", [a, event("x")])).rejects.toBeInstanceOf(
      WrongExpectedVersionError,
    );
    expect(await names(client.readStream("s"))).toEqual(["a", "b"]);
  });

  test("one event id can be in many streams", async () => {
    const { client } = await startTestNode();
    const a = event("a");
    await append(client, "one", "any", a);
    await append(client, "two", "any", a);
    expect(await names(client.readStream("two"))).toEqual(["a"]);
  });

  test("a tombstoned stream is deleted for every append", async () => {
    const { client } = await startTestNode();
    const a = event("a");
    await append(client, "s", "any", a);
    await client.tombstoneStream("s");
    const refused = append(client, "s", "no_stream", a);
    await expect(refused).rejects.toBeInstanceOf(StreamDeletedError);
    await expect(refused).rejects.toMatchObject({ streamName: "s" });
  });

  test("more than 1 MiB is refused, up to 1 MiB is kept", async () => {
    const { client } = await startTestNode();
    const data = new Uint8Array(1024 * 1024 - 2 * "Big".length).fill(7);
    const fits = binaryEvent({ type: "Big", data });
    const tooBig = binaryEvent({ type: "Big", data: new Uint8Array(data.length + 1) });
    await append(client, "s", "any", fits);
    const refused = append(client, "s", "any", tooBig);
    await expect(refused).rejects.toBeInstanceOf(MaxAppendSizeExceededError);
    await expect(refused).rejects.toMatchObject({ maxAppendSize: 1024 * 1024 });
    const halves = [data, data].map((half) =>
      binaryEvent({ type: "Big", data: half.subarray(half.length / 2) }),
    );
    await expect(append(client, "s", "any", [...halves, fits])).rejects.toBeInstanceOf(
      MaxAppendSizeExceededError,
    );
    const [kept, ...others] = await all(client.readStream("s"));
    expect(others).toEqual([]);
    expect(Buffer.compare(kept?.event?.data as Uint8Array, data)).toBe(0);
  });

  test("an append without events writes nothing and succeeds", async () => {
    const { client } = await startTestNode();
    await append(client, "s", "any", event("a"));
    expect(await append(client, "s", 0n, [])).toMatchObject({ success: true, nextExpectedRevision: 0n });
    expect(await names(client.readAll())).toEqual(["a"]);
  });

  test("what is appended is read back as it was sent", async () => {
    const { client } = await startTestNode();
    const json = jsonEvent({ type: "Été", data: { text: "grüße €" }, metadata: { by: "someone" } });
    const binary = binaryEvent({
      type: "bytes",
      data: Uint8Array.of(0, 255, 1),
      metadata: Uint8Array.of(9, 8),
    });
    await append(client, "schüler-1", "any", [json, binary]);
    const [first, second] = await all(client.readStream("schüler-1"));
    const { id, type, data, metadata } = json;
    expect(first?.event).toMatchObject({
      id,
      type,
      data,
      metadata,
      streamId: "schüler-1",
      isJson: true,
      revision: 0n,
    });
    expect(second?.event).toMatchObject({ id: binary.id, type: "bytes", isJson: false, revision: 1n });
    expect(Buffer.from(second?.event?.data as Uint8Array)).toEqual(Buffer.of(0, 255, 1));
    expect(Buffer.from(second?.event?.metadata as Uint8Array)).toEqual(Buffer.of(9, 8));
    expect(Math.abs((first?.event?.created.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
  });
});

test("with throwOnAppendFailure=false a wrong version is an answer", async () => {
  const { url } = await startTestNode();
  const client = connect(`${url}&throwOnAppendFailure=false`);
  await client.appendToStream("s", event("a"));
  const answer = await client.appendToStream("s", event("b"), { expectedRevision: "no_stream" });
  expect(answer).toMatchObject({ success: false });
});

test("appends that arrive together to one stream take its revisions one after another", async () => {
  const { client } = await startTestNode();
  const results = await Promise.all(
    Array.from({ length: 200 }, (_, n) => client.appendToStream("s", [event(`${n}`), event(`${n}'`)])),
  );
  const revisions = results.map((result) => result.nextExpectedRevision).sort((a, b) => Number(a - b));
  expect(revisions).toEqual(Array.from({ length: 200 }, (_, n) => BigInt(n * 2 + 1)));
  const positions = (await all(client.readAll())).map(({ event }) => event?.position?.commit);
  expect(positions).toEqual(Array.from({ length: 400 }, (_, n) => BigInt(n + 1)));
});

test("of appends that race for one revision exactly one wins", async () => {
  const { client } = await startTestNode();
  const results = await Promise.allSettled(
    Array.from({ length: 50 }, (_, n) =>
      client.appendToStream("s", event(`${n}`), { expectedRevision: "no_stream" }),
    ),
  );
  expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(1);
});

test("the same append sent twice at once is written once", async () => {
  const { client } = await startTestNode();
  const events = [event("a"), event("b")];
  for (const expectedRevision of ["any", "no_stream"] as const) {
    const stream = `s-${expectedRevision}`;
    const [one, two] = await Promise.all(
      [1, 2].map(() => client.appendToStream(stream, events, { expectedRevision })),
    );
    expect(two).toEqual(one);
    expect(await names(client.readStream(stream))).toEqual(["a", "b"]);
  }
});
