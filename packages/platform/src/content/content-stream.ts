import { createHash } from "node:crypto";
import { CarillonError } from "@carillon/domain";

/** What content has to be. */
export interface ExpectedContent {
  /** SHA-256, 64 hexadecimal digits. */
  readonly sha256: string;
  readonly bytes: number;
}

/**
 * Gives content on as it comes and checks it on the way: after the last piece it is what was expected, or this has
 * thrown `content_missing` (it is empty or broke off), `content_too_large` or `content_digest_mismatch`.
 */
export async function* checked(
  { sha256, bytes }: ExpectedContent,
  content: ReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const digest = createHash("sha256");
  let arrived = 0;
  for await (const piece of arriving(content)) {
    arrived += piece.length;
    if (arrived > bytes) {
      throw new CarillonError(
        "content_too_large",
        `More than the ${bytes} bytes came that were announced: send the file with its own size.`,
      );
    }
    digest.update(piece);
    yield piece;
  }
  if (arrived === 0) {
    throw new CarillonError("content_missing", "The file is empty: choose the one you mean to hand in.");
  }
  if (arrived < bytes) {
    throw new CarillonError(
      "content_missing",
      `Only ${arrived} of ${bytes} bytes came: send the content again.`,
    );
  }
  if (digest.digest("hex") !== sha256) {
    throw new CarillonError(
      "content_digest_mismatch",
      "The content is not the one that was announced: send the file with this SHA-256.",
    );
  }
}

/**
 * The same bytes in chunks of `size`, the last as long as it is. Where the content breaks off, what came before is
 * given first and then the error is thrown.
 */
export async function* inChunks(
  content: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array> {
  let chunk = new Uint8Array(size);
  let filled = 0;
  let broken: { error: unknown } | undefined;
  try {
    for await (const piece of content) {
      for (let taken = 0; taken < piece.length; ) {
        const part = piece.subarray(taken, taken + size - filled);
        chunk.set(part, filled);
        filled += part.length;
        taken += part.length;
        if (filled < size) continue;
        yield chunk;
        chunk = new Uint8Array(size);
        filled = 0;
      }
    }
  } catch (error) {
    broken = { error };
  }
  if (filled > 0) yield chunk.subarray(0, filled);
  if (broken) throw broken.error;
}

/** The pieces of a stream; throws `content_missing` where it breaks off. */
export async function* arriving(content: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const pieces = content[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await pieces.next().catch((cause: unknown) => {
        throw new CarillonError("content_missing", "The content broke off: send it again.", { cause });
      });
      if (done) return;
      yield value;
    }
  } finally {
    await pieces.return?.().catch(() => {});
  }
}

/** A stream of one piece. */
export const streamOf = (content: Uint8Array): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      controller.enqueue(content);
      controller.close();
    },
  });
