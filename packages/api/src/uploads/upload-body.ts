import { clearTimeout, setTimeout } from "node:timers";
import { CarillonError } from "@carillon/domain";

/** How long a client may send nothing, in milliseconds. */
const silenceMs = 60_000;
/** So much of what is refused is read all the same, in bytes: a client that is cut off while it sends does not see the answer. */
const politeBytes = 8 * 1024 ** 2;

/** A request's body that ends where it breaks off, so that what came until then is kept. */
export interface UploadBody {
  readonly content: ReadableStream<Uint8Array>;
  /** Takes so many bytes and no more. */
  limit(bytes: number): void;
  /**
   * Why it ended before the client had sent all of it: `content_missing` where the connection broke or nothing came for a
   * minute, `content_too_large` where more came than the limit. Undefined as long as nothing is wrong.
   */
  failure(): CarillonError | undefined;
  /** Ends the content, and reads what is left of the request if it is not too much. */
  finish(): Promise<void>;
}

/** Reads a request's body as it is asked for: what nobody takes stays with the client. */
export function uploadBody(body: ReadableStream<Uint8Array> | null): UploadBody {
  const reader = body?.getReader();
  let left = Number.POSITIVE_INFINITY;
  let failure: CarillonError | undefined;
  let controller: ReadableStreamDefaultController<Uint8Array>;
  let ended = false;
  const end = (why?: CarillonError) => {
    if (ended) return;
    ended = true;
    failure = why;
    clearTimeout(timer);
    controller.close();
  };
  const timer = setTimeout(() => {
    end(
      new CarillonError(
        "content_missing",
        "Nothing came for a minute: ask how far the upload is, and go on.",
      ),
    );
    reader?.cancel().catch(() => {});
  }, silenceMs);

  const pull = async () => {
    try {
      const { done, value } = (await reader?.read()) ?? { done: true };
      if (ended) return;
      if (done) return end();
      left -= value.length;
      if (left < 0)
        return end(
          new CarillonError(
            "content_too_large",
            "More came than was committed: send that content, or commit to this one under a new key.",
          ),
        );
      timer.refresh();
      controller.enqueue(value);
    } catch (cause) {
      end(
        new CarillonError("content_missing", "The content broke off: ask how far it is, and go on.", {
          cause,
        }),
      );
    }
  };
  const content = new ReadableStream<Uint8Array>(
    {
      start(own) {
        controller = own;
      },
      pull,
    },
    { highWaterMark: 0 },
  );

  return {
    content,
    limit(bytes) {
      left = bytes;
    },
    failure: () => failure,
    async finish() {
      end();
      await drain(reader);
    },
  };
}

/** Reads the body of a request that was refused before anything of it was read. */
export async function discardUnread(body: ReadableStream<Uint8Array> | null): Promise<void> {
  if (body && !body.locked) await drain(body.getReader());
}

async function drain(reader: ReadableStreamDefaultReader<Uint8Array> | undefined): Promise<void> {
  if (!reader) return;
  const timer = setTimeout(() => void reader.cancel().catch(() => {}), silenceMs);
  try {
    for (let left = politeBytes; left > 0; ) {
      const { done, value } = await reader.read();
      if (done) return;
      left -= value.length;
      timer.refresh();
    }
    await reader.cancel();
  } catch {
    // The client has gone: there is nobody to be polite to.
  } finally {
    clearTimeout(timer);
  }
}
