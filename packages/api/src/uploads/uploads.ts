import { CarillonError, type Instant } from "@carillon/domain";
import { contentReceiver, partsOf, type Received, type ReceiverServices } from "./content-receiver.ts";
import type { AwaitedContent, UploadAddresses } from "./upload-addresses.ts";

/** How far an upload is: `offset` of its `bytes` are stored; once its content is received it has a receipt. */
export interface UploadProgress {
  readonly offset: number;
  readonly bytes: number;
  /** When it lapses. */
  readonly uploadBy: Instant;
  readonly received: Received | undefined;
}

/**
 * Uploads of content that was committed. Nothing of an upload is remembered here: any worker can go on with it. Every call
 * throws `CarillonError`: `upload_unknown` for an id that is not ours, `submission_lapsed` where the content comes too late,
 * `unavailable`.
 */
export interface Uploads {
  /**
   * How far an upload is. Where all of it is stored and there is no receipt yet, as after the death of a worker, this makes
   * one as `finish` does: a client has nothing more to send.
   */
  progress(id: string): Promise<UploadProgress>;
  /**
   * Stores what comes after the first `offset` bytes and gives the new offset. What came is kept even where the content breaks
   * off. Of two clients that send the same part one wins, in whichever workers they are. Throws besides: `upload_offset_mismatch`,
   * `content_missing`, and `busy` where all uploads together are more than can be kept.
   */
  append(id: string, offset: number, content: ReadableStream<Uint8Array>): Promise<number>;
  /**
   * Makes content of what has come, and gives the receipt that says so: always the same, however often it is asked for. What is
   * not right is discarded, so that the client can begin again: `content_digest_mismatch`, `content_missing`,
   * `content_too_large`.
   */
  finish(id: string): Promise<Received>;
  /** What was received; undefined as long as it may come. */
  received(id: string): Promise<Received | undefined>;
  /** Forgets what has come. Throws `malformed` where the content was received: it is handed in. */
  discard(id: string): Promise<void>;
}

export interface UploadServices extends ReceiverServices {
  readonly uploadAddresses: Pick<UploadAddresses, "read">;
}

export function openUploads(services: UploadServices): Uploads {
  const { uploadParts, uploadAddresses } = services;
  const { received, receive } = contentReceiver(services);

  const awaitedBy = (id: string): AwaitedContent => {
    const awaited = uploadAddresses.read(id);
    if (awaited) return awaited;
    throw new CarillonError("upload_unknown", "There is no such upload: commit again and use its address.");
  };

  return {
    async progress(id) {
      const awaited = awaitedBy(id);
      const { bytes, uploadBy } = awaited;
      const before = await received(awaited);
      if (before) return { offset: bytes, bytes, uploadBy, received: before };
      const offset = await uploadParts.size(partsOf(awaited));
      return { offset, bytes, uploadBy, received: offset < bytes ? undefined : await receive(awaited) };
    },
    append: async (id, offset, content) => uploadParts.append(partsOf(awaitedBy(id)), offset, content),
    finish: async (id) => receive(awaitedBy(id)),
    received: async (id) => received(awaitedBy(id)),
    async discard(id) {
      const awaited = awaitedBy(id);
      if (await received(awaited)) {
        throw new CarillonError("malformed", "The content was received: it is handed in, and stays.");
      }
      await uploadParts.discard(partsOf(awaited));
    },
  };
}
