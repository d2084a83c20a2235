import { once } from "node:events";
import { join } from "node:path";
import { type EventStoreDBClient, UnavailableError } from "@eventstore/db-client";
import { ServerFeaturesClient } from "@eventstore/db-client/generated/serverfeatures_grpc_pb.js";
import type features from "@eventstore/db-client/generated/serverfeatures_pb.js";
import shared from "@eventstore/db-client/generated/shared_pb.js";
import { credentials, status } from "@grpc/grpc-js";
import { open } from "lmdb";
import { expect, test } from "vitest";
import { startNode } from "../index.ts";
import { all, connect, event, eventually, names, startTestNode, temporaryFolder } from "../testing.ts";

test("what was appended is there after a restart, and retries are still known", async () => {
  const dir = temporaryFolder();
  const first = await startTestNode(dir);
  const events = [event("a"), event("b")];
  const append = (client: EventStoreDBClient) =>
    Promise.all([
      client.appendToStream("any", events),
      client
        .appendToStream("none", event("c"), { expectedRevision: "no_stream" })
        .catch((error) => error.type),
    ]);
  const [answer] = await append(first.client);
  await first.client.setStreamMetadata("any", { maxCount: 10 });
  await first.client.tombstoneStream("none");
  await first.stop();

  const second = await startTestNode(dir);
  expect(await append(second.client)).toEqual([answer, "stream-deleted"]);
  expect(await names(second.client.readStream("any"))).toEqual(["a", "b"]);
  expect(await second.client.getStreamMetadata("any")).toMatchObject({ metadata: { maxCount: 10 } });
  const next = await second.client.appendToStream("new", event("d"));
  expect(next.position?.commit).toBe(6n);
});

test("a folder is open in one node at a time", async () => {
  const dir = temporaryFolder();
  const first = await startTestNode(dir);
  await expect(startNode({ dir, port: 0 })).rejects.toThrow(
    `${dir} is already open in another event store node`,
  );
  await first.stop();
  await startTestNode(dir);
});

test.each([
  [99, "a newer"],
  [1, "an older"],
])("a folder of format %i, of %s version, is refused and left as it is", async (format, version) => {
  const dir = temporaryFolder();
  await (await startTestNode(dir)).stop();
  const root = open({ path: join(dir, "events.lmdb"), encoding: "binary" });
  await root.openDB<number, string>("settings", { encoding: "ordered-binary" }).put("format", format);
  await root.close();
  for (let attempt = 0; attempt < 2; attempt++) {
    await expect(startNode({ dir, port: 0 })).rejects.toThrow(
      `has format ${format}, of ${version} version of this node`,
    );
  }
});

test("a port that is taken is refused, and the folder is free again", async () => {
  const { port } = await startTestNode();
  const dir = temporaryFolder();
  await expect(startNode({ dir, port })).rejects.toThrow(String(port));
  await startTestNode(dir);
});

test("a stop answers the appends that were taken, and ends subscriptions so that clients come back", async () => {
  const dir = temporaryFolder();
  const first = await startNode({ dir, port: 0 });
  const client = connect(first.url);
  const subscription = client.subscribeToAll();
  await once(subscription, "caughtUp");
  const ended = once(subscription, "error");
  const appends = Array.from({ length: 50 }, (_, n) => client.appendToStream("s", event(`${n}`)));
  const settled = Promise.allSettled(appends);
  await appends[0];
  await first.stop();
  expect((await ended)[0]).toBeInstanceOf(UnavailableError);
  const second = await startTestNode(dir);
  const written = await names(second.client.readStream("s"));
  const acknowledged = (await settled).flatMap((result, n) =>
    result.status === "fulfilled" ? [`${n}`] : [],
  );
  expect(written).toEqual(expect.arrayContaining(acknowledged));
});

test("a client goes on when the node comes back on its port", async () => {
  const dir = temporaryFolder();
  const first = await startNode({ dir, port: 0 });
  const client = connect(first.url);
  await client.appendToStream("s", event("a"));
  await first.stop();
  const second = await startNode({ dir, port: first.port });
  await eventually(() => client.appendToStream("s", event("b"), { expectedRevision: 0n }));
  expect(await names(client.readStream("s"))).toEqual(["a", "b"]);
  await client.dispose();
  await second.stop();
});

test("clients are told which methods there are", async () => {
  const { port } = await startTestNode();
  const rpc = new ServerFeaturesClient(`127.0.0.1:${port}`, credentials.createInsecure());
  const methods = await new Promise<features.SupportedMethods>((resolve, reject) => {
    rpc.getSupportedMethods(new shared.Empty(), (error, answer) => (error ? reject(error) : resolve(answer)));
  });
  rpc.close();
  expect(methods.getEventStoreServerVersion()).toBe("23.10.0");
  expect(methods.getMethodsList().map((method) => method.getMethodName())).toEqual([
    ...["read", "append", "delete", "tombstone", "batchappend"],
    ...["create", "update", "delete", "read", "getinfo", "replayparked", "list", "restartsubsystem"],
    ...["create", "update", "delete", "statistics", "disable", "enable", "reset", "state", "result"],
    ...["restartsubsystem", "getsupportedmethods"],
  ]);
});

test("a client that discovers its cluster finds one leader", async () => {
  const { port } = await startTestNode();
  const client = connect(`esdb+discover://127.0.0.1:${port}?tls=false`);
  await client.appendToStream("s", event("a"));
  expect(await names(client.readStream("s"))).toEqual(["a"]);
});

test("what is not supported is answered UNIMPLEMENTED", async () => {
  const { client } = await startTestNode();
  await expect(client.createProjection("p", "fromAll()")).rejects.toMatchObject({
    code: status.UNIMPLEMENTED,
  });
});

test("a request that makes no sense is refused with the reason", async () => {
  const { client } = await startTestNode();
  await expect(all(client.readStream("s".repeat(2000)))).rejects.toThrow(
    "a stream name takes at most 1024 bytes",
  );
  await expect(client.deleteStream("")).rejects.toThrow("a stream needs a name");
});
