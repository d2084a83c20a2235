import { createHash } from "node:crypto";
import { CarillonError } from "@carillon/domain";
import {
  DiscardPolicy,
  headers,
  type JetStreamClient,
  type JetStreamManager,
  NatsError,
  nanos,
  StorageType,
} from "nats";
import { isNotFound } from "../event-bus/event-stream.ts";
import type { Bus } from "../nats/bus.ts";
import { lastMessage, nextMessage, publishAfter, type StoredMessage } from "../nats/jetstream-message.ts";
import { keepBucket } from "../nats/reopened-bucket.ts";
import { arriving, inChunks } from "./content-stream.ts";

/**
 * What has come of uploads that are not complete yet. It is forgotten by itself two days after it came. Every call throws
 * `CarillonError` `unavailable` where NATS does not answer.
 */
export interface UploadParts {
  /** How many bytes are stored: where to go on. */
  size(uploadId: string): Promise<number>;
  /**
   * Stores what comes after the first `offset` bytes and gives the new size. Throws `upload_offset_mismatch` where the size is
   * another, also because somebody else sends the same upload: one of them wins; `content_missing` where the content
   * breaks off, and what had come is stored; `busy` where all uploads together are more than can be kept.
   */
  append(uploadId: string, offset: number, content: ReadableStream<Uint8Array>): Promise<number>;
  /** Everything that is stored, in order. */
  read(uploadId: string): ReadableStream<Uint8Array>;
  discard(uploadId: string): Promise<void>;
}

const stream = "UPLOADS";
const keptMs = 2 * 86_400_000;
/** Of all uploads together. */
const maxBytes = 4 * 1024 ** 3;
const chunkBytes = 256 * 1024;
const retryAfterMs = 60_000;
/** JetStream's code for a message that it could not store, as where the stream is full. */
const storeFailed = 10077;
/** On every message: the upload's size with it. */
const sizeHeader = "Upload-Size";

/** Keeps parts in the JetStream stream `UPLOADS`, which is made when it is first needed. */
export function openUploadParts(bus: Bus): UploadParts {
  const withJetStream = keepBucket("The store of uploads", async () => {
    const manager = await bus.jetstreamManager({ checkAPI: false });
    await ensureStream(manager);
    return { js: bus.jetstream(), manager };
  });

  return {
    size: (uploadId) =>
      withJetStream(async () => sizeAt(await lastMessage(bus, stream, subjectOf(uploadId)))),
    append: (uploadId, offset, content) =>
      withJetStream(async ({ js }) => {
        const subject = subjectOf(uploadId);
        const last = await lastMessage(bus, stream, subject);
        if (sizeAt(last) !== offset) {
          await content.cancel();
          throw offsetMismatch(sizeAt(last));
        }
        let size = offset;
        let sequence = last?.sequence ?? 0;
        for await (const chunk of inChunks(arriving(content), chunkBytes)) {
          const stored = await publishPart(js, subject, sequence, chunk, size + chunk.length);
          if (stored === undefined) {
            throw offsetMismatch(sizeAt(await lastMessage(bus, stream, subject)));
          }
          sequence = stored;
          size += chunk.length;
        }
        return size;
      }),
    read(uploadId) {
      let next = 1;
      return new ReadableStream({
        pull: (controller) =>
          withJetStream(async () => {
            const part = await nextMessage(bus, stream, subjectOf(uploadId), next);
            if (!part) return controller.close();
            next = part.sequence + 1;
            controller.enqueue(part.data);
          }),
      });
    },
    discard: (uploadId) =>
      withJetStream(async ({ manager }) => {
        await manager.streams.purge(stream, { filter: subjectOf(uploadId) });
      }),
  };
}

async function ensureStream(manager: JetStreamManager): Promise<void> {
  try {
    await manager.streams.info(stream);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await manager.streams.add({
      name: stream,
      subjects: ["uploads.*"],
      storage: StorageType.File,
      max_age: nanos(keptMs),
      max_bytes: maxBytes,
      discard: DiscardPolicy.New,
      allow_direct: true,
    });
  }
}

async function publishPart(
  js: JetStreamClient,
  subject: string,
  after: number,
  chunk: Uint8Array,
  size: number,
): Promise<number | undefined> {
  const about = headers();
  about.set(sizeHeader, String(size));
  try {
    return await publishAfter(js, subject, after, chunk, about);
  } catch (error) {
    if (!(error instanceof NatsError) || error.api_error?.err_code !== storeFailed) throw error;
    throw new CarillonError("busy", "Too many uploads are under way: go on in a minute.", {
      cause: error,
      wait: { retryAfterMs, place: null },
    });
  }
}

const sizeAt = (last: StoredMessage | undefined) => Number(last?.headers.get(sizeHeader) ?? 0);

const offsetMismatch = (size: number) =>
  new CarillonError("upload_offset_mismatch", `${size} bytes of the upload are stored: go on from there.`);

/** Whatever the id is made of, its digest is one token of a subject. */
const subjectOf = (uploadId: string) =>
  `uploads.${createHash("sha256").update(uploadId).digest("base64url")}`;
