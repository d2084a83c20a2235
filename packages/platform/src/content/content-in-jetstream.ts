import { Buffer } from "node:buffer";
import { CarillonError, type TenantId } from "@carillon/domain";
import {
  AckPolicy,
  DeliverPolicy,
  headers,
  type JetStreamClient,
  type JetStreamManager,
  JsHeaders,
  nuid,
} from "nats";
import type { Bus } from "../nats/bus.ts";
import { lastMessage, messagesOf, nextMessage, publishAfter } from "../nats/jetstream-message.ts";
import { keepBucket } from "../nats/reopened-bucket.ts";
import { isYoung } from "./content-age.ts";
import type { ContentStore } from "./content-store.ts";
import { checked, type ExpectedContent, inChunks, streamOf } from "./content-stream.ts";

/** Up to this size content is one message, in bytes. */
const maxSmallBytes = 256 * 1024;
const chunkBytes = 128 * 1024;
/** Chunks are sent so many at a time: what is in memory of content that is on its way. */
const chunksAtOnce = 8;

const small = { bucket: "content", stream: "KV_content", prefix: "$KV.content." };
const large = { bucket: "objects", stream: "OBJ_objects", prefix: "$O.objects." };
/** On every chunk: of what. */
const partOf = "Carillon-Part-Of";

interface JetStream {
  readonly bus: Bus;
  readonly js: JetStreamClient;
  readonly manager: JetStreamManager;
}

/** What the object store says of an object (NATS ADR-20). */
interface ObjectInfo {
  readonly name: string;
  readonly nuid: string;
  readonly size: number;
  readonly chunks: number;
}

/**
 * Keeps content in JetStream: small content as one message of the key-value bucket `content`, larger in the object
 * store `objects`, in the form that NATS's own tools read. The client library's object store is not used for it: it
 * holds in memory what the server or the reader is too slow for, and cannot delete one version only.
 */
export function contentInJetStream(bus: Bus): ContentStore {
  const withJetStream = keepBucket<JetStream>("The content store", async () => {
    const js = bus.jetstream();
    await js.views.kv(small.bucket, { history: 1 });
    await js.views.os(large.bucket);
    return { bus, js, manager: await bus.jetstreamManager({ checkAPI: false }) };
  });

  const store: ContentStore = {
    put(tenantId, sha256, content) {
      if (content.length > maxSmallBytes) {
        const expected = { sha256, bytes: content.length };
        return store.putStream(tenantId, expected, streamOf(content));
      }
      return withJetStream((jetStream) => putSmall(jetStream, smallSubject(tenantId, sha256), content));
    },
    async putStream(tenantId, expected, content) {
      if (expected.bytes <= maxSmallBytes) {
        return store.put(tenantId, expected.sha256, await bytesOf(checked(expected, content)));
      }
      await withJetStream((jetStream) =>
        putLarge(jetStream, `${tenantId}/${expected.sha256}`, expected, content),
      );
    },
    async get(tenantId, sha256) {
      const stream = await store.open(tenantId, sha256);
      return stream && bytesOf(stream);
    },
    open: (tenantId, sha256) =>
      withJetStream(async () => {
        const message = await lastMessage(bus, small.stream, smallSubject(tenantId, sha256));
        if (message) return streamOf(message.data);
        const info = await objectInfo(bus, `${tenantId}/${sha256}`);
        return info && chunksOf(bus, info);
      }),
    has: (tenantId, sha256, since = new Date(0)) =>
      withJetStream(async () => {
        const stored =
          (await lastMessage(bus, small.stream, smallSubject(tenantId, sha256))) ??
          (await lastMessage(bus, large.stream, metaSubject(encoded(`${tenantId}/${sha256}`))));
        return stored !== undefined && stored.at >= since;
      }),
    presignedPut: () => Promise.resolve(undefined),
    async *list() {
      const jetStream = await withJetStream((opened) => Promise.resolve(opened));
      const all = { deliver_policy: DeliverPolicy.All, ack_policy: AckPolicy.None };
      for await (const { subject, seq, info, headers } of messagesOf(jetStream, small.stream, {
        ...all,
        headers_only: true,
      })) {
        yield {
          ...parseName(subject.slice(small.prefix.length).replace(".", "/")),
          bytes: Number(headers?.get(JsHeaders.MessageSizeHdr)),
          storedAt: new Date(info.timestampNanos / 1_000_000),
          version: `${seq}`,
        };
      }
      for await (const message of messagesOf(jetStream, large.stream, {
        ...all,
        filter_subject: metaSubject("*"),
      })) {
        const { name, size, nuid } = message.json<ObjectInfo>();
        yield {
          ...parseName(name),
          bytes: size,
          storedAt: new Date(message.info.timestampNanos / 1_000_000),
          version: `${message.seq}/${nuid}`,
        };
      }
    },
    delete: ({ tenantId, sha256, version }) =>
      withJetStream(async ({ manager }) => {
        const [sequence, nuid] = version.split("/");
        // What was stored again has a higher sequence. What nobody can read any more is purged last.
        const upToIt = { seq: Number(sequence) + 1 };
        if (nuid === undefined) {
          const filter = smallSubject(tenantId, sha256);
          return (await manager.streams.purge(small.stream, { filter, ...upToIt })).purged > 0;
        }
        const filter = metaSubject(encoded(`${tenantId}/${sha256}`));
        const { purged } = await manager.streams.purge(large.stream, { filter, ...upToIt });
        if (purged > 0) await manager.streams.purge(large.stream, { filter: chunkSubject(nuid) });
        return purged > 0;
      }),
    discardUnfinished: (before) =>
      withJetStream(async (jetStream) => {
        let discarded = 0;
        const lastChunks = messagesOf(jetStream, large.stream, {
          deliver_policy: DeliverPolicy.LastPerSubject,
          ack_policy: AckPolicy.None,
          filter_subject: chunkSubject("*"),
          headers_only: true,
        });
        for await (const { subject, info, headers } of lastChunks) {
          if (info.timestampNanos / 1_000_000 >= before.getTime()) continue;
          const object = await objectInfo(bus, headers?.get(partOf) ?? "");
          if (object && subject === chunkSubject(object.nuid)) continue;
          await jetStream.manager.streams.purge(large.stream, { filter: subject });
          discarded++;
        }
        return discarded;
      }),
  };
  return store;
}

async function putSmall({ bus, js }: JetStream, subject: string, content: Uint8Array): Promise<void> {
  for (;;) {
    if (await publishAfter(js, subject, 0, content)) return;
    const stored = await lastMessage(bus, small.stream, subject);
    // A collector was faster.
    if (!stored) continue;
    if (isYoung(stored.at) || (await publishAfter(js, subject, stored.sequence, content))) return;
  }
}

async function putLarge(
  { bus, js, manager }: JetStream,
  name: string,
  expected: ExpectedContent,
  content: ReadableStream<Uint8Array>,
): Promise<void> {
  const subject = metaSubject(encoded(name));
  const pieces = checked(expected, content);
  if (await renewLarge({ bus, js }, subject)) {
    // Whoever names a digest has to have the content.
    for await (const _ of pieces);
    return;
  }
  const id = nuid.next();
  const chunks = chunkSubject(id);
  const about = headers();
  about.set(partOf, name);
  try {
    for await (const run of inChunks(pieces, chunksAtOnce * chunkBytes)) {
      const sent = [];
      for (let from = 0; from < run.length; from += chunkBytes) {
        sent.push(js.publish(chunks, run.subarray(from, from + chunkBytes), { headers: about }));
      }
      await Promise.all(sent);
    }
  } catch (error) {
    // What this does not reach is discarded later.
    await manager.streams.purge(large.stream, { filter: chunks }).catch(() => {});
    throw error;
  }
  const info = {
    name,
    bucket: large.bucket,
    nuid: id,
    size: expected.bytes,
    chunks: Math.ceil(expected.bytes / chunkBytes),
    mtime: new Date().toISOString(),
    digest: `SHA-256=${padded(Buffer.from(expected.sha256, "hex"))}`,
    options: { max_chunk_size: chunkBytes },
  };
  // A failure here says nothing of whether it was stored, so the chunks stay.
  const stored = await publishAfter(js, subject, 0, Buffer.from(JSON.stringify(info)));
  // Somebody else stored the same meanwhile.
  if (!stored) await manager.streams.purge(large.stream, { filter: chunks });
}

/** Whether it is there; makes it young again. */
async function renewLarge({ bus, js }: Pick<JetStream, "bus" | "js">, subject: string): Promise<boolean> {
  const inItsPlace = headers();
  inItsPlace.set(JsHeaders.RollupHdr, JsHeaders.RollupValueSubject);
  for (;;) {
    const stored = await lastMessage(bus, large.stream, subject);
    if (!stored) return false;
    if (isYoung(stored.at)) return true;
    if (await publishAfter(js, subject, stored.sequence, stored.data, inItsPlace)) return true;
  }
}

async function objectInfo(bus: Bus, name: string): Promise<ObjectInfo | undefined> {
  const message = await lastMessage(bus, large.stream, metaSubject(encoded(name)));
  return message && (JSON.parse(Buffer.from(message.data).toString()) as ObjectInfo);
}

/** Reads a chunk when it is asked for one. */
function chunksOf(bus: Bus, { nuid, size }: ObjectInfo): ReadableStream<Uint8Array> {
  let next = 1;
  let left = size;
  return new ReadableStream({
    async pull(controller) {
      const chunk = await nextMessage(bus, large.stream, chunkSubject(nuid), next);
      if (!chunk) throw new CarillonError("unavailable", "The content cannot be read to its end.");
      next = chunk.sequence + 1;
      left -= chunk.data.length;
      controller.enqueue(chunk.data);
      if (left <= 0) controller.close();
    },
  });
}

const smallSubject = (tenantId: TenantId, sha256: string) => `${small.prefix}${tenantId}.${sha256}`;
const metaSubject = (name: string) => `${large.prefix}M.${name}`;
const chunkSubject = (nuid: string) => `${large.prefix}C.${nuid}`;
/** An object's name as it is in subjects: base64url with padding. */
const encoded = (name: string) => padded(Buffer.from(name));
const padded = (bytes: Buffer) => bytes.toString("base64").replaceAll("+", "-").replaceAll("/", "_");

function parseName(name: string) {
  const [tenantId, sha256] = name.split("/");
  return { tenantId: tenantId as TenantId, sha256: sha256 as string };
}

async function bytesOf(content: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return Buffer.concat(await Array.fromAsync(content));
}
