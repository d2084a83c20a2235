import { BACKWARDS, binaryEvent, END, type EventStoreDBClient, eventTypeFilter } from "@eventstore/db-client";
import { StreamsClient } from "@eventstore/db-client/generated/streams_grpc_pb.js";
import streams from "@eventstore/db-client/generated/streams_pb.js";
import { credentials } from "@grpc/grpc-js";
import { expect, onTestFinished, test } from "vitest";
import { all, event, nameOf, startTestNode } from "../testing.ts";

const resolveLinkTos = true;

function linkTo(target: string) {
  return binaryEvent({ type: "$>", data: Buffer.from(target) });
}

/** A node with two events and a stream of links to the second and the first. */
async function startLinked() {
  const node = await startTestNode();
  await node.client.appendToStream("s", [event("a"), event("b")]);
  await node.client.appendToStream("links", [linkTo("1@s"), linkTo("0@s")]);
  return node;
}

/** What each event of the stream of links resolves to. */
async function resolved(client: EventStoreDBClient): Promise<unknown[]> {
  return (await all(client.readStream("links", { resolveLinkTos }))).map((event) =>
    event.event === undefined ? `only ${event.link?.revision}` : nameOf(event),
  );
}

test("a link is read as it is, or with the event that it stands for", async () => {
  const { client } = await startLinked();
  const [plain] = await all(client.readStream("links"));
  expect(plain?.event).toMatchObject({ type: "$>", streamId: "links" });
  expect(plain?.link).toBeUndefined();
  const [first] = await all(client.readStream("links", { resolveLinkTos }));
  expect(first?.event).toMatchObject({ streamId: "s", revision: 1n, data: { name: "b" } });
  expect(first?.link).toMatchObject({ type: "$>", streamId: "links", revision: 0n });
  expect(first?.event?.position?.commit).toBe(2n);
  expect(first?.commitPosition).toBe(3n);
  expect(await resolved(client)).toEqual(["b", "a"]);
});

test("links are resolved backwards, in $all and in subscriptions", async () => {
  const { client } = await startLinked();
  const backwards = { direction: BACKWARDS, fromRevision: END, resolveLinkTos } as const;
  expect((await all(client.readStream("links", backwards))).map(nameOf)).toEqual(["a", "b"]);
  expect((await all(client.readAll({ resolveLinkTos }))).map(nameOf)).toEqual(["a", "b", "b", "a"]);
  const filter = eventTypeFilter({ prefixes: ["$>"] });
  for (const subscription of [
    client.subscribeToStream("links", { resolveLinkTos }).take(2),
    client.subscribeToAll({ resolveLinkTos, filter }).take(2),
  ]) {
    expect((await all(subscription)).map(nameOf)).toEqual(["b", "a"]);
  }
});

test("a link to what cannot be seen comes alone", async () => {
  const { client } = await startLinked();
  await client.setStreamMetadata("s", { truncateBefore: 1 });
  expect(await resolved(client)).toEqual(["b", "only 1"]);
  await client.deleteStream("s");
  expect(await resolved(client)).toEqual(["only 0", "only 1"]);
  await client.appendToStream("s", event("c"));
  await client.appendToStream("links", [linkTo("2@s"), linkTo("3@s"), linkTo("0@nowhere"), linkTo("5")]);
  expect(await resolved(client)).toEqual(["only 0", "only 1", "c", "only 3", "only 4", "only 5"]);
  await client.tombstoneStream("s");
  expect((await resolved(client))[2]).toBe("only 2");
});

test("a link that names no revision is an event like others", async () => {
  const { client } = await startTestNode();
  await client.appendToStream("links", linkTo("somewhere@s"));
  const [read] = await all(client.readStream("links", { resolveLinkTos }));
  expect(read?.event?.type).toBe("$>");
});

test("a link to an event in a stream with an @ in its name is found", async () => {
  const { client } = await startTestNode();
  await client.appendToStream("a@b", event("a"));
  await client.appendToStream("links", linkTo("0@a@b"));
  expect(await resolved(client)).toEqual(["a"]);
});

test("a reader may have ids as two numbers, of events and of links", async () => {
  const { client, port } = await startLinked();
  const [plain] = await all(client.readStream("links", { resolveLinkTos, maxCount: 1 }));
  const rpc = new StreamsClient(`127.0.0.1:${port}`, credentials.createInsecure());
  onTestFinished(() => rpc.close());
  const options = streams.ReadReq.Options.deserializeBinary(structuredRead("links"));
  const answers = await all<streams.ReadResp>(rpc.read(new streams.ReadReq().setOptions(options)));
  const read = answers[0]?.getEvent();
  const idOf = (recorded: streams.ReadResp.ReadEvent.RecordedEvent | undefined) => {
    const halves = recorded?.getId()?.getStructured();
    const hex = [halves?.getMostSignificantBits(), halves?.getLeastSignificantBits()].map((half) =>
      BigInt.asUintN(64, BigInt(half ?? 0))
        .toString(16)
        .padStart(16, "0"),
    );
    return hex.join("").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  };
  expect(idOf(read?.getEvent())).toBe(plain?.event?.id);
  expect(idOf(read?.getLink())).toBe(plain?.link?.id);
  expect(read?.getEvent()?.getStreamRevision()).toBe("1");
  expect(read?.getCommitPosition()).toBe("3");
});

/** The options of a read of one event from the start of `stream`, links resolved, with structured ids. */
function structuredRead(stream: string): Uint8Array {
  const identifier = Buffer.concat([Buffer.from([0x1a, stream.length]), Buffer.from(stream)]);
  const source = Buffer.concat([Buffer.from([0x0a, identifier.length]), identifier, Buffer.from([0x1a, 0])]);
  return Buffer.concat([
    Buffer.from([0x0a, source.length]),
    source,
    Buffer.from([0x20, 1]), // resolve_links
    Buffer.from([0x28, 1]), // count
    Buffer.from([0x42, 0]), // no_filter
    Buffer.from([0x4a, 2, 0x0a, 0]), // uuid_option: structured
  ]);
}
