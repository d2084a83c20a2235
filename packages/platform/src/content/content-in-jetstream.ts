import { Buffer } from "node:buffer";
import type { Bus } from "../nats/bus.ts";
import { streamManager } from "../nats/jetstream.ts";
import { keepOpen } from "../nats/keep-open.ts";
import type { ContentStore } from "./content-store.ts";
import { checked, streamOf } from "./content-stream.ts";
import { openLargeContent } from "./large-content.ts";
import { openSmallContent } from "./small-content.ts";

/** Up to this size content is one message, in bytes. */
const maxSmallBytes = 256 * 1024;
const requestTimeoutMs = 5_000;

/** Keeps content in JetStream: small content as a message each, larger in chunks. */
export function contentInJetStream(bus: Bus): ContentStore {
  const withContent = keepOpen("The content store", async () => {
    const jetStream = { bus, js: bus.jetstream(), manager: await streamManager(bus, requestTimeoutMs) };
    return { small: await openSmallContent(jetStream), large: await openLargeContent(jetStream) };
  });

  const store: ContentStore = {
    put(tenantId, sha256, content) {
      if (content.length > maxSmallBytes) {
        const expected = { sha256, bytes: content.length };
        return store.putStream(tenantId, expected, streamOf(content));
      }
      return withContent(({ small }) => small.put(tenantId, sha256, content));
    },
    async putStream(tenantId, expected, content) {
      if (expected.bytes <= maxSmallBytes) {
        return store.put(tenantId, expected.sha256, await bytesOf(checked(expected, content)));
      }
      await withContent(({ large }) => large.put(tenantId, expected, content));
    },
    async get(tenantId, sha256) {
      const stream = await store.open(tenantId, sha256);
      return stream && bytesOf(stream);
    },
    open: (tenantId, sha256) =>
      withContent(async ({ small, large }) => {
        const message = await small.find(tenantId, sha256);
        return message ? streamOf(message.data) : large.open(tenantId, sha256);
      }),
    has: (tenantId, sha256, since = new Date(0)) =>
      withContent(async ({ small, large }) => {
        const stored = (await small.find(tenantId, sha256)) ?? (await large.find(tenantId, sha256));
        return stored !== undefined && stored.at >= since;
      }),
    presignedPut: () => Promise.resolve(undefined),
    async *list() {
      const { small, large } = await withContent((opened) => Promise.resolve(opened));
      yield* small.list();
      yield* large.list();
    },
    delete: ({ tenantId, sha256, version }) =>
      withContent(async ({ small, large }) => {
        const [sequence, nuid] = version.split("/");
        if (nuid === undefined) return small.delete(tenantId, sha256, Number(sequence));
        return large.delete(tenantId, sha256, Number(sequence), nuid);
      }),
    discardUnfinished: (before) => withContent(({ large }) => large.discardUnfinished(before)),
  };
  return store;
}

async function bytesOf(content: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return Buffer.concat(await Array.fromAsync(content));
}
