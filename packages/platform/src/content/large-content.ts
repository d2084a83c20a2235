import { Buffer } from "node:buffer";
import { CarillonError, type TenantId } from "@carillon/domain";
import { AckPolicy, DeliverPolicy, headers, JsHeaders, nuid } from "nats";
import type { Bus } from "../nats/bus.ts";
import {
  type JetStream,
  lastMessage,
  messagesOf,
  nextMessage,
  publishAfter,
  type StoredMessage,
} from "../nats/jetstream-message.ts";
import { isYoung } from "./content-age.ts";
import type { StoredContent } from "./content-store.ts";
import { checked, type ExpectedContent, inChunks } from "./content-stream.ts";

const chunkBytes = 128 * 1024;
/** Chunks are sent so many at a time: what is in memory of content that is on its way. */
const chunksAtOnce = 8;

const bucketName = "objects";
const stream = `OBJ_${bucketName}`;
const prefix = `$O.${bucketName}.`;
/** On every chunk: of what. */
const partOf = "Carillon-Part-Of";

/** What the object store says of an object (NATS ADR-20). */
interface ObjectInfo {
  readonly name: string;
  readonly nuid: string;
  readonly size: number;
  readonly chunks: number;
}

/**
 * Content in the object store `objects`, which is made if it is not there, in the form that NATS's own tools read. The
 * client library's object store is not used for it: it holds in memory what the server or the reader is too slow for, and
 * cannot delete one version only.
 */
export async function openLargeContent(jetStream: JetStream) {
  const { bus, js, manager } = jetStream;
  await js.views.os(bucketName);

  const find = (tenantId: TenantId, sha256: string): Promise<StoredMessage | undefined> =>
    lastMessage(bus, stream, metaSubject(nameOf(tenantId, sha256)));

  return {
    find,
    put: (tenantId: TenantId, expected: ExpectedContent, content: ReadableStream<Uint8Array>) =>
      putLarge(jetStream, nameOf(tenantId, expected.sha256), expected, content),
    async open(tenantId: TenantId, sha256: string): Promise<ReadableStream<Uint8Array> | undefined> {
      const stored = await find(tenantId, sha256);
      return stored && chunksOf(bus, infoIn(stored.data));
    },
    async *list(): AsyncGenerator<StoredContent> {
      const all = {
        deliver_policy: DeliverPolicy.All,
        ack_policy: AckPolicy.None,
        filter_subject: `${prefix}M.*`,
      };
      for await (const { seq, info, data } of messagesOf(jetStream, stream, all)) {
        const { name, size, nuid } = infoIn(data);
        const [tenantId, sha256] = name.split("/");
        yield {
          tenantId: tenantId as TenantId,
          sha256: sha256 as string,
          bytes: size,
          storedAt: new Date(info.timestampNanos / 1_000_000),
          version: `${seq}/${nuid}`,
        };
      }
    },
    /** Whether it was there and was not stored again: that has a higher sequence. */
    async delete(tenantId: TenantId, sha256: string, sequence: number, nuid: string): Promise<boolean> {
      const filter = metaSubject(nameOf(tenantId, sha256));
      const { purged } = await manager.streams.purge(stream, { filter, seq: sequence + 1 });
      // What nobody can read any more is purged last.
      if (purged > 0) await manager.streams.purge(stream, { filter: chunkSubject(nuid) });
      return purged > 0;
    },
    discardUnfinished: (before: Date) => discardUnfinished(jetStream, before),
  };
}

async function putLarge(
  jetStream: JetStream,
  name: string,
  expected: ExpectedContent,
  content: ReadableStream<Uint8Array>,
): Promise<void> {
  const { js, manager } = jetStream;
  const subject = metaSubject(name);
  const pieces = checked(expected, content);
  if (await renew(jetStream, subject)) {
    // A client that names a digest has to have the content.
    for await (const _ of pieces);
    return;
  }
  const id = nuid.next();
  await putChunks(jetStream, name, id, pieces);
  const info = {
    name,
    bucket: bucketName,
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
  if (!stored) await manager.streams.purge(stream, { filter: chunkSubject(id) });
}

async function putChunks(
  { js, manager }: JetStream,
  name: string,
  id: string,
  pieces: AsyncIterable<Uint8Array>,
): Promise<void> {
  const subject = chunkSubject(id);
  const labels = headers();
  labels.set(partOf, name);
  try {
    for await (const run of inChunks(pieces, chunksAtOnce * chunkBytes)) {
      const sent = [];
      for (let from = 0; from < run.length; from += chunkBytes) {
        sent.push(js.publish(subject, run.subarray(from, from + chunkBytes), { headers: labels }));
      }
      await Promise.all(sent);
    }
  } catch (error) {
    // What this does not reach is discarded later.
    await manager.streams.purge(stream, { filter: subject }).catch(() => {});
    throw error;
  }
}

/** Whether it is there; makes it young again. */
async function renew({ bus, js }: JetStream, subject: string): Promise<boolean> {
  const inPlaceOfIt = headers();
  inPlaceOfIt.set(JsHeaders.RollupHdr, JsHeaders.RollupValueSubject);
  for (;;) {
    const stored = await lastMessage(bus, stream, subject);
    if (!stored) return false;
    if (isYoung(stored.at)) return true;
    if (await publishAfter(js, subject, stored.sequence, stored.data, inPlaceOfIt)) return true;
  }
}

/** Removes the chunks of storings that broke off before this time, and says of how many storings. */
async function discardUnfinished(jetStream: JetStream, before: Date): Promise<number> {
  const { bus, manager } = jetStream;
  let discarded = 0;
  const lastChunks = messagesOf(jetStream, stream, {
    deliver_policy: DeliverPolicy.LastPerSubject,
    ack_policy: AckPolicy.None,
    filter_subject: chunkSubject("*"),
    headers_only: true,
  });
  for await (const { subject, info, headers } of lastChunks) {
    if (info.timestampNanos / 1_000_000 >= before.getTime()) continue;
    const stored = await lastMessage(bus, stream, metaSubject(headers?.get(partOf) ?? ""));
    if (stored && subject === chunkSubject(infoIn(stored.data).nuid)) continue;
    await manager.streams.purge(stream, { filter: subject });
    discarded++;
  }
  return discarded;
}

/** Reads a chunk when it is asked for one. */
function chunksOf(bus: Bus, { nuid, size }: ObjectInfo): ReadableStream<Uint8Array> {
  let next = 1;
  let left = size;
  return new ReadableStream({
    async pull(controller) {
      const chunk = await nextMessage(bus, stream, chunkSubject(nuid), next);
      if (!chunk) throw new CarillonError("unavailable", "The content cannot be read to its end: try again.");
      next = chunk.sequence + 1;
      left -= chunk.data.length;
      controller.enqueue(chunk.data);
      if (left <= 0) controller.close();
    },
  });
}

const infoIn = (message: Uint8Array) => JSON.parse(Buffer.from(message).toString()) as ObjectInfo;

const nameOf = (tenantId: TenantId, sha256: string) => `${tenantId}/${sha256}`;
/** An object's name is in subjects as base64url with padding. */
const metaSubject = (name: string) => `${prefix}M.${padded(Buffer.from(name))}`;
const chunkSubject = (nuid: string) => `${prefix}C.${nuid}`;
const padded = (bytes: Buffer) => bytes.toString("base64").replaceAll("+", "-").replaceAll("/", "_");
