import { createHash } from "node:crypto";
import type { CarillonError } from "@carillon/domain";
import { DiscardPolicy, headers, type JetStreamClient, nanos, StorageType } from "nats";
import type { Bus } from "../nats/bus.ts";
import { ensureStream, isStoreFailure, streamManager } from "../nats/jetstream.ts";
import { lastMessage, nextMessage, publishAfter, type StoredMessage } from "../nats/jetstream-message.ts";
import { keepOpen } from "../nats/keep-open.ts";
import { arriving, inChunks } from "./content-stream.ts";

/**
 * Bytes that come part by part, each series under a key, which may be any text. Every call throws `CarillonError`
 * `unavailable` where NATS does not answer.
 */
export interface PartsStore {
  /** How many bytes are stored: where to go on. */
  size(key: string): Promise<number>;
  /**
   * Stores what comes after the first `offset` bytes and gives the new size. Throws `offsetMismatch` where the size is
   * another, also because somebody else sends the same: one of them wins; `content_missing` where the content breaks off,
   * and what had come is stored; `full` where all parts together are more than can be kept.
   */
  append(key: string, offset: number, content: ReadableStream<Uint8Array>): Promise<number>;
  /** Everything that is stored, in order. */
  read(key: string): ReadableStream<Uint8Array>;
  discard(key: string): Promise<void>;
}

export interface PartsStoreOptions {
  /** The JetStream stream. */
  readonly stream: string;
  /** The first word of its subjects: no other stream may have it. */
  readonly subjectPrefix: string;
  /** The header that says how many bytes there are up to a message and with it. */
  readonly sizeHeader: string;
  /** What a client is told cannot be reached, as in "The store of uploads". */
  readonly what: string;
  /** For how long a part is kept, in milliseconds. */
  readonly keptMs: number;
  /** How much is kept of all keys together. */
  readonly maxBytes: number;
  /** @param size how many bytes are stored */
  readonly offsetMismatch: (size: number) => CarillonError;
  readonly full: (cause: unknown) => CarillonError;
}

const chunkBytes = 256 * 1024;
const requestTimeoutMs = 5_000;

/** Keeps parts in a JetStream stream, which is made when it is first needed. */
export function openPartsStore(bus: Bus, options: PartsStoreOptions): PartsStore {
  const { stream, subjectPrefix, what, offsetMismatch } = options;
  const withStream = keepOpen<JetStreamClient>(what, async () => {
    await ensurePartsStream(bus, options);
    return bus.jetstream();
  });
  /** Whatever the key is made of, its digest is one word of a subject. */
  const subjectOf = (key: string) =>
    `${subjectPrefix}.${createHash("sha256").update(key).digest("base64url")}`;
  const sizeAt = (last: StoredMessage | undefined) => Number(last?.headers.get(options.sizeHeader) ?? 0);

  return {
    size: (key) => withStream(async () => sizeAt(await lastMessage(bus, stream, subjectOf(key)))),
    append: (key, offset, content) =>
      withStream(async (js) => {
        const subject = subjectOf(key);
        const last = await lastMessage(bus, stream, subject);
        if (sizeAt(last) !== offset) {
          await content.cancel();
          throw offsetMismatch(sizeAt(last));
        }
        let size = offset;
        let sequence = last?.sequence ?? 0;
        for await (const chunk of inChunks(arriving(content), chunkBytes)) {
          const stored = await publishPart(js, options, subject, sequence, chunk, size + chunk.length);
          if (stored === undefined) throw offsetMismatch(sizeAt(await lastMessage(bus, stream, subject)));
          sequence = stored;
          size += chunk.length;
        }
        return size;
      }),
    read(key) {
      let next = 1;
      return new ReadableStream({
        pull: (controller) =>
          withStream(async () => {
            const part = await nextMessage(bus, stream, subjectOf(key), next);
            if (!part) return controller.close();
            next = part.sequence + 1;
            controller.enqueue(part.data);
          }),
      });
    },
    discard: (key) =>
      withStream(async () => {
        const { streams } = await streamManager(bus, requestTimeoutMs);
        await streams.purge(stream, { filter: subjectOf(key) });
      }),
  };
}

async function ensurePartsStream(
  bus: Bus,
  { stream, subjectPrefix, keptMs, maxBytes }: PartsStoreOptions,
): Promise<void> {
  await ensureStream(await streamManager(bus, requestTimeoutMs), {
    name: stream,
    subjects: [`${subjectPrefix}.*`],
    storage: StorageType.File,
    max_age: nanos(keptMs),
    max_bytes: maxBytes,
    discard: DiscardPolicy.New,
    allow_direct: true,
  });
}

/** Gives the part's sequence, or undefined where another part came first. */
async function publishPart(
  js: JetStreamClient,
  { sizeHeader, full }: PartsStoreOptions,
  subject: string,
  after: number,
  chunk: Uint8Array,
  size: number,
): Promise<number | undefined> {
  const sizeWithIt = headers();
  sizeWithIt.set(sizeHeader, String(size));
  try {
    return await publishAfter(js, subject, after, chunk, sizeWithIt);
  } catch (error) {
    throw isStoreFailure(error) ? full(error) : error;
  }
}
