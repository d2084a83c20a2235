import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import { type AddressInfo, connect as connectSocket, createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, onTestFinished, test } from "vitest";
import { event, startTestNode, temporaryFolder } from "../testing.ts";

interface Reply {
  status: number | undefined;
  body: string;
}

/** A node, and a way to ask it over HTTP/1.1. */
async function startWithHttp(transport: string) {
  const dir = temporaryFolder();
  const node = await startTestNode(dir, transport === "tls" ? { tls: "generated" } : {});
  const ask = (path: string, { method = "GET", auth }: { method?: string; auth?: string } = {}) =>
    new Promise<Reply>((resolve, reject) => {
      const options = { host: "127.0.0.1", port: node.port, path, method, ...(auth && { auth }) };
      const request =
        transport === "tls"
          ? requestTls({ ...options, ca: readFileSync(join(dir, "tls", "ca.crt")) })
          : requestPlain(options);
      request.on("error", reject).on("response", async (response) => {
        resolve({ status: response.statusCode, body: await text(response) });
      });
      request.end();
    });
  return { ...node, ask };
}

describe.each(["plain", "tls"])("HTTP/1.1 on the port of the node, %s", (transport) => {
  test("/health/live says that it lives, with the status that the caller wants", async () => {
    const { ask } = await startWithHttp(transport);
    expect(await ask("/health/live")).toEqual({ status: 204, body: "" });
    expect(await ask("/health/live?liveCode=200")).toMatchObject({ status: 200 });
  });

  test("/info says what it is", async () => {
    const { ask } = await startWithHttp(transport);
    const { status, body } = await ask("/info");
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({
      esVersion: "23.10.0",
      state: "leader",
      authentication: { type: transport === "tls" ? "internal" : "insecure" },
    });
  });

  test("/stats says how it is, whole or in part", async () => {
    const { ask, client } = await startWithHttp(transport);
    const before = Number((await ask("/stats/es/lastPosition")).body);
    await client.appendToStream("s", [event("a"), event("b")]);
    const stats = JSON.parse((await ask("/stats")).body);
    expect(stats).toMatchObject({ proc: { id: process.pid }, es: { lastPosition: before + 2 } });
    expect(stats.es.queue.StorageWriterQueue.length).toBe(0);
    expect(await ask("/stats/nothing")).toMatchObject({ status: 404 });
  });

  test("what is not there, or not to be done, is refused", async () => {
    const { ask } = await startWithHttp(transport);
    expect(await ask("/streams/s")).toMatchObject({ status: 404 });
    expect(await ask("/info", { method: "POST" })).toMatchObject({ status: 405 });
    const { status } = await ask("/info", { auth: "admin:wrong" });
    expect(status).toBe(transport === "tls" ? 401 : 200);
  });
});

test("a connection that says nothing does not keep the node from stopping", async () => {
  const node = await startTestNode();
  const socket = connectSocket(node.port, "127.0.0.1");
  await new Promise((resolve) => socket.once("connect", resolve));
  let isClosed = false;
  socket
    .on("error", () => {})
    .on("close", () => {
      isClosed = true;
    });
  socket.write("P");
  await node.stop();
  // The node itself has ended it, long before it would have lost patience: a few connections have not come and gone since.
  const others = createServer((other) => other.destroy()).listen(0, "127.0.0.1");
  onTestFinished(() => void others.close());
  await once(others, "listening");
  for (let gone = 0; gone < 50 && !isClosed; gone++) {
    await once(connectSocket((others.address() as AddressInfo).port, "127.0.0.1"), "close");
  }
  expect(isClosed).toBe(true);
});
