/**
 * The ceiling of the storm `event-store`: a gRPC server that answers batch appends at once and stores nothing, and that
 * sends messages which it has ready in memory. `node ceiling-server.ts [URL COUNT]`: those messages are the first COUNT
 * of the node at URL.
 */
import { promisify } from "node:util";
import { setFlagsFromString } from "node:v8";
import { pipelinedWrites } from "@carillon/eventstore-node/pipelined-writes";
import { serverFeatures, serverFeaturesDefinition } from "@carillon/eventstore-node/server-features";
import shared from "@eventstore/db-client/generated/shared_pb.js";
import { StreamsService } from "@eventstore/db-client/generated/streams_grpc_pb.js";
import streams from "@eventstore/db-client/generated/streams_pb.js";
import {
  Client,
  credentials,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerWritableStream,
} from "@grpc/grpc-js";

// As the node's command does: a small young space stays in the processor's cache.
setFlagsFromString("--semi-space-growth-factor=1");

const asIs = (bytes: Buffer): Buffer => bytes;

/** Reads the first `count` messages of `$all`, as they come over the wire. */
async function messagesOf(url: string, count: number): Promise<Buffer[]> {
  const client = new Client(new URL(url.replace("esdb", "http")).host, credentials.createInsecure());
  const options = new streams.ReadReq.Options()
    .setAll(new streams.ReadReq.Options.AllOptions().setStart(new shared.Empty()))
    .setCount(String(count))
    .setUuidOption(new streams.ReadReq.Options.UUIDOption().setString(new shared.Empty()))
    .setNoFilter(new shared.Empty());
  const request = new streams.ReadReq().setOptions(options);
  const { path } = StreamsService.read;
  const messages: Buffer[] = [];
  const serialize = (message: streams.ReadReq) => Buffer.from(message.serializeBinary());
  const read = client.makeServerStreamRequest(path, serialize, asIs, request);
  for await (const message of read) messages.push(message);
  client.close();
  return messages;
}

const success = new streams.BatchAppendResp()
  .setSuccess(
    new streams.BatchAppendResp.Success()
      .setCurrentRevision("1000000")
      .setPosition(new shared.AllStreamPosition().setCommitPosition("1000000").setPreparePosition("1000000")),
  )
  .serializeBinary();

/** Answers with the correlation id, which is the first field of the request and short. */
function answerTo(request: Buffer): Buffer {
  return Buffer.concat([request.subarray(0, 2 + (request[1] ?? 0)), success]);
}

/** Resolves when the client has taken enough to go on. When it is gone it never does, and the call is forgotten. */
function drained(call: ServerWritableStream<streams.ReadReq, Buffer>): Promise<void> {
  return new Promise((resolve) => call.once("drain", resolve));
}

const confirmation = Buffer.from(
  new streams.ReadResp()
    .setConfirmation(new streams.ReadResp.SubscriptionConfirmation().setSubscriptionId("ceiling"))
    .serializeBinary(),
);

const [url, count] = process.argv.slice(2);
const messages = url === undefined ? [] : await messagesOf(url, Number(count));
const server = new Server({ interceptors: [pipelinedWrites] });
server.addService(serverFeaturesDefinition, serverFeatures);
server.addService(
  {
    read: { ...StreamsService.read, responseSerialize: asIs },
    batchAppend: { ...StreamsService.batchAppend, requestDeserialize: asIs, responseSerialize: asIs },
  },
  {
    batchAppend(call: ServerDuplexStream<Buffer, Buffer>) {
      call.on("data", (request: Buffer) => call.write(answerTo(request)));
      call.on("end", () => call.end());
    },
    async read(call: ServerWritableStream<streams.ReadReq, Buffer>) {
      call.write(confirmation);
      for (const message of messages) {
        if (call.cancelled) return;
        if (!call.write(message)) await drained(call);
      }
    },
  },
);
const port = await promisify(server.bindAsync.bind(server))(
  "127.0.0.1:0",
  ServerCredentials.createInsecure(),
);
process.stdout.write(`ceiling ready esdb://127.0.0.1:${port}?tls=false\n`);
