import { clearTimeout, setTimeout } from "node:timers";
import { CarillonError } from "@carillon/domain";

/** How long a client may send nothing, in milliseconds. */
const silenceMs = 60_000;
/** So much of what is refused is read all the same, in bytes: who is cut off while he sends does not see the answer. */
const politeBytes = 8 * 1024 ** 2;

/**
 * A request's body as it comes, with an end: it errors with `content_too_large` behind `maxBytes`, and with
 * `content_missing` where nothing comes for a minute. Who stops reading it early leaves the rest to `drain`.
 */
export function bounded(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): ReadableStream<Uint8Array> {
  const reader = (body ?? new Blob().stream()).getReader();
  let left = maxBytes;
  let controller: ReadableStreamDefaultController<Uint8Array>;
  const timer = setTimeout(() => {
    const silent = new CarillonError("content_missing", "Nothing came for a minute: send the content again.");
    controller.error(silent);
    reader.cancel(silent).catch(() => {});
  }, silenceMs);
  const leave = () => {
    clearTimeout(timer);
    reader.releaseLock();
  };
  return new ReadableStream<Uint8Array>({
    start(own) {
      controller = own;
    },
    async pull() {
      try {
        const { done, value } = await reader.read();
        if (done) {
          leave();
          return controller.close();
        }
        left -= value.length;
        if (left < 0) {
          throw new CarillonError(
            "content_too_large",
            `More came than the ${maxBytes} bytes that were announced.`,
          );
        }
        timer.refresh();
        controller.enqueue(value);
      } catch (error) {
        leave();
        throw error;
      }
    },
    cancel: leave,
  });
}

/** Reads what is left of a refused request's body, if it is not too much. */
export async function drain(body: ReadableStream<Uint8Array> | null): Promise<void> {
  if (!body || body.locked) return;
  try {
    for await (const _ of bounded(body, politeBytes));
  } catch {
    // The client has gone, or sends more than we take: the connection ends with the answer.
  }
}
