import { randomUUID } from "node:crypto";
import { StreamsClient } from "@eventstore/db-client/generated/streams_grpc_pb.js";
import streams from "@eventstore/db-client/generated/streams_pb.js";
import { credentials, Metadata, status } from "@grpc/grpc-js";
import { expect, onTestFinished, test } from "vitest";
import { WireWriter } from "../encoding/protobuf.ts";
import { all, event, eventually, names, startTestNode, temporaryFolder } from "../testing.ts";

/** A batch append call, with the answers that have come so far. */
function openBatch(port: number) {
  const rpc = new StreamsClient(`127.0.0.1:${port}`, credentials.createInsecure());
  onTestFinished(() => rpc.close());
  const call = rpc.batchAppend(new Metadata());
  const answers: { id: string; outcome: string }[] = [];
  const failures: number[] = [];
  call.on("data", (answer: streams.BatchAppendResp) => {
    const error = answer.getError()?.getDetails()?.getTypeName();
    const outcome = error ?? `revision ${answer.getSuccess()?.getCurrentRevision()}`;
    answers.push({ id: answer.getCorrelationId()?.getString() ?? "", outcome });
  });
  call.on("error", (error: Error & { code: number }) => failures.push(error.code));
  return { call, answers, failures };
}

interface Message {
  id: string;
  stream?: string;
  deadline?: Date;
  sizes: number[];
  final: boolean;
}

function message({ id, stream, deadline, sizes, final }: Message): streams.BatchAppendReq {
  const request = new WireWriter();
  request.message(1, (uuid) => uuid.string(2, id));
  if (stream !== undefined) {
    request.message(2, (options) => {
      options.message(1, (identifier) => identifier.string(3, stream));
      options.message(4, () => {}); // any revision
      if (deadline !== undefined)
        options.message(6, (time) => time.uint(1, Math.floor(deadline.getTime() / 1000)));
    });
  }
  for (const size of sizes) {
    request.message(3, (event) => {
      event.message(1, (uuid) => uuid.string(2, randomUUID()));
      event.message(2, (entry) => entry.string(1, "type").string(2, "T"));
      event.message(2, (entry) => entry.string(1, "content-type").string(2, "application/octet-stream"));
      event.bytes(4, new Uint8Array(size));
    });
  }
  request.uint(4, final ? 1 : 0);
  return streams.BatchAppendReq.deserializeBinary(request.finish());
}

test("the messages of one append are one append, others may come between", async () => {
  const { client, port } = await startTestNode();
  const { call, answers } = openBatch(port);
  call.write(message({ id: "1", stream: "one", sizes: [1, 2], final: false }));
  call.write(message({ id: "2", stream: "two", sizes: [3], final: true }));
  await eventually(() => expect(answers).toEqual([{ id: "2", outcome: "revision 0" }]));
  expect(await names(client.readAll())).toHaveLength(1);
  call.write(message({ id: "1", sizes: [4], final: false }));
  call.write(message({ id: "1", sizes: [], final: true }));
  await eventually(() => expect(answers).toHaveLength(2));
  expect(answers[1]).toEqual({ id: "1", outcome: "revision 2" });
});

test("every correlation id is answered exactly once, whatever its append comes to", async () => {
  const { client, port } = await startTestNode();
  await client.tombstoneStream("gone");
  const { call, answers } = openBatch(port);
  const big = 600 * 1024;
  call.write(message({ id: "good", stream: "s", sizes: [1], final: true }));
  call.write(message({ id: "gone", stream: "gone", sizes: [1], final: true }));
  call.write(
    message({ id: "late", stream: "s", deadline: new Date(Date.now() - 1000), sizes: [1], final: true }),
  );
  call.write(message({ id: "big", stream: "s", sizes: [big], final: false }));
  call.write(message({ id: "big", sizes: [big], final: false }));
  call.write(message({ id: "big", sizes: [big], final: false }));
  call.write(message({ id: "big", sizes: [1], final: true }));
  call.write(message({ id: "last", stream: "s", sizes: [1], final: true }));
  call.end();
  await new Promise((resolve) => call.on("end", resolve));
  expect(answers.toSorted((a, b) => a.id.localeCompare(b.id))).toEqual([
    { id: "big", outcome: "event_store.client.MaximumAppendSizeExceeded" },
    { id: "gone", outcome: "event_store.client.StreamDeleted" },
    { id: "good", outcome: "revision 0" },
    { id: "last", outcome: "revision 1" },
    { id: "late", outcome: "event_store.client.Timeout" },
  ]);
});

test("an append whose last message does not come is answered at its deadline, or when the call ends", async () => {
  const { client, port } = await startTestNode();
  const { call, answers } = openBatch(port);
  const deadline = new Date(Date.now() + 1000);
  call.write(message({ id: "late", stream: "s", deadline, sizes: [1], final: false }));
  call.write(message({ id: "open", stream: "s", sizes: [1], final: false }));
  await eventually(() => expect(answers).toEqual([{ id: "late", outcome: "event_store.client.Timeout" }]));
  call.write(message({ id: "late", sizes: [1], final: true }));
  call.end();
  await new Promise((resolve) => call.on("end", resolve));
  expect(answers.slice(1)).toEqual([{ id: "open", outcome: "event_store.client.BadRequest" }]);
  expect(await names(client.readAll())).toEqual([]);
});

test("appends that were sent before the client closed its side are all answered", async () => {
  const { port } = await startTestNode();
  const { call, answers } = openBatch(port);
  for (let n = 0; n < 500; n++)
    call.write(message({ id: `${n}`, stream: `s-${n % 9}`, sizes: [100], final: true }));
  call.end();
  await new Promise((resolve) => call.on("end", resolve));
  expect(new Set(answers.map(({ id }) => id)).size).toBe(500);
  expect(answers).toHaveLength(500);
});

test("every append that is written while the node stops is answered", async () => {
  const dir = temporaryFolder();
  const node = await startTestNode(dir);
  const { call, answers, failures } = openBatch(node.port);
  let sent = 0;
  const send = () =>
    call.write(message({ id: `${sent}`, stream: `s-${sent++}`, sizes: [100_000], final: true }));
  for (let n = 0; n < 200; n++) send();
  await eventually(() => expect(answers).not.toEqual([]));
  const stopped = node.stop();
  while (failures.length === 0) {
    send();
    await new Promise(setImmediate);
  }
  await stopped;
  expect(failures).toEqual([status.UNAVAILABLE]);
  const again = await startTestNode(dir);
  const written = (await all(again.client.readAll())).map((resolved) => resolved.event?.streamId);
  expect(new Set(answers.map(({ id }) => `s-${id}`))).toEqual(new Set(written));
  expect(answers).toHaveLength(written.length);
});

test("an append that makes no sense is refused alone", async () => {
  const { port } = await startTestNode();
  const { call, answers } = openBatch(port);
  call.write(message({ id: "no options", sizes: [1], final: false }));
  call.write(message({ id: "no options", sizes: [1], final: true }));
  call.write(message({ id: "no name", stream: "", sizes: [1], final: true }));
  call.write(message({ id: "good", stream: "s", sizes: [1], final: true }));
  call.end();
  await new Promise((resolve) => call.on("end", resolve));
  expect(answers).toEqual([
    { id: "no options", outcome: "event_store.client.BadRequest" },
    { id: "no name", outcome: "event_store.client.BadRequest" },
    { id: "good", outcome: "revision 0" },
  ]);
});

test("an event whose id is no UUID is refused with the reason, and nothing of its append is written", async () => {
  const { client } = await startTestNode();
  const refused = client.appendToStream("s", [event("a"), { ...event("b"), id: "not one" }]);
  await expect(refused).rejects.toThrow("an event id must be a UUID");
  await client.appendToStream("s", event("c"));
  expect(await names(client.readAll())).toEqual(["c"]);
});

test("a message without a correlation id ends the call and leaves the node serving", async () => {
  const { client, port } = await startTestNode();
  const { call, failures } = openBatch(port);
  call.write(new streams.BatchAppendReq());
  await eventually(() => expect(failures).toEqual([status.INVALID_ARGUMENT]));
  expect(await names(client.readAll())).toEqual([]);
});

test("a message that ends the call leaves no append before it unanswered", async () => {
  const { client, port } = await startTestNode();
  const { call, answers, failures } = openBatch(port);
  for (let n = 0; n < 50; n++) call.write(message({ id: `${n}`, stream: "s", sizes: [1], final: true }));
  call.write(new streams.BatchAppendReq());
  call.end();
  await eventually(() => expect(failures).toEqual([status.INVALID_ARGUMENT]));
  expect(answers).toHaveLength(50);
  expect(await names(client.readAll())).toHaveLength(50);
});

test("a client that sends and does not read its answers is held back, and gets all of them once it reads", async () => {
  const { client, port } = await startTestNode();
  const rpc = new StreamsClient(`127.0.0.1:${port}`, credentials.createInsecure());
  onTestFinished(() => rpc.close());
  const call = rpc.batchAppend(new Metadata());
  const sent = 10_000;
  // Its name is in every answer.
  const stream = "s".repeat(1000);
  const answered = new Set<string>();
  call.on("data", (answer: streams.BatchAppendResp) => {
    answered.add(answer.getCorrelationId()?.getString() ?? "");
    if (answered.size === 1) call.pause();
  });
  call.on("error", () => {});
  for (let n = 0; n < sent; n++) call.write(message({ id: `${n}`, stream, sizes: [1], final: true }));
  const written = async () => {
    const [last] = await all(client.readAll({ direction: "backwards", fromPosition: "end", maxCount: 1 }));
    return Number(last?.event?.position?.commit ?? 0);
  };
  const STANDSTILL = 300;
  for (let same = 0, before = -1; same < STANDSTILL; ) {
    const now = await written();
    same = now === before && now > 0 ? same + 1 : 0;
    before = now;
  }
  expect(await written()).toBeLessThan(sent);

  call.resume();
  await eventually(() => expect(answered.size).toBe(sent));
  expect(await written()).toBe(sent);
});

test("a call with too many unfinished appends fails with a clear error, and the node goes on", async () => {
  const { client, port } = await startTestNode();
  const { call, failures } = openBatch(port);
  const size = 2 ** 19;
  for (let n = 0; n < 100; n++) call.write(message({ id: `${n}`, stream: "s", sizes: [size], final: false }));
  await eventually(() => expect(failures).toEqual([status.RESOURCE_EXHAUSTED]));
  await client.appendToStream("s", event("after"));
  expect(await names(client.readStream("s"))).toEqual(["after"]);
});
