import type { AppRouter } from "@carillon/api";
import { TRPCClientError } from "@trpc/client";
import { DetailedError, type HttpResponse, Upload } from "tus-js-client";
import { type PatienceOptions, patienceOf } from "./patience.ts";

export interface SendOptions extends PatienceOptions {
  /** Told how many bytes the service has. */
  readonly onProgress?: (bytes: number) => void;
}

/** How much is sent at once, in bytes. */
const partBytes = 4 * 1024 ** 2;

/**
 * Sends content to an upload by tus 1.0, part after part, and gives its receipt. After a failure that may pass it pauses, asks
 * how far the upload is, and goes on from there. Throws a `TRPCClientError`, without `data` where there was no answer.
 */
export async function sendByTus(
  address: URL,
  content: Blob,
  options: SendOptions,
): Promise<{ receipt: string; position: string }> {
  const patience = patienceOf(options);
  let sent = 0;
  const keepOffset = (offset: number) => {
    if (offset <= sent) return;
    sent = offset;
    patience.renew();
    options.onProgress?.(offset);
  };
  for (;;) {
    try {
      const answer = await sendRest(address.href, content, options.signal, keepOffset);
      return {
        receipt: saidIn(answer, "Submission-Receipt"),
        position: saidIn(answer, "Submission-Position"),
      };
    } catch (error) {
      await patience.pauseAfter(await refusalOf(address, error, options.signal));
    }
  }
}

function saidIn(answer: HttpResponse, header: string): string {
  const said = answer.getHeader(header);
  if (!said) throw TRPCClientError.from<AppRouter>(new Error(`The answer to an upload has no ${header}.`));
  return said;
}

/** Asks how far the upload is and sends the rest, once; gives the answer that said that all is there. */
function sendRest(
  uploadUrl: string,
  content: Blob,
  signal: AbortSignal | undefined,
  keepOffset: (offset: number) => void,
): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      upload.abort();
      reject(signal?.reason);
    };
    const upload = new Upload(content, {
      uploadUrl,
      chunkSize: partBytes,
      fileReader: partReader,
      // We pause as long as the service asks for, which it cannot be told.
      retryDelays: null,
      // The address is all the permission that an upload needs: it does not belong in a page's storage.
      storeFingerprintForResuming: false,
      onAfterResponse: (_, answer) => keepOffset(Number(answer.getHeader("Upload-Offset"))),
      onSuccess({ lastResponse }) {
        signal?.removeEventListener("abort", leave);
        resolve(lastResponse);
      },
      onError(error) {
        signal?.removeEventListener("abort", leave);
        reject(error);
      },
    });
    signal?.addEventListener("abort", leave, { once: true });
    upload.start();
  });
}

/** Reads parts of a `Blob` as bytes, which the library can send wherever it runs: by itself it takes none in Node. */
const partReader = {
  openFile: async (content: Blob) => ({
    size: content.size,
    async slice(start: number, end: number) {
      const bytes = new Uint8Array(await content.slice(start, end).arrayBuffer());
      return { value: Object.assign(bytes, { size: bytes.length }), done: end >= content.size };
    },
    close() {},
  }),
};

/** An upload's failure as the client's own calls have it. The library's says the address, which is nobody's business. */
async function refusalOf(address: URL, error: unknown, signal: AbortSignal | undefined): Promise<unknown> {
  if (!(error instanceof DetailedError)) return error;
  if (!error.originalResponse) {
    return TRPCClientError.from<AppRouter>(new Error("The connection broke while content was sent."));
  }
  try {
    const said = error.originalResponse.getBody();
    // What answers HEAD has no body: GET asks the same.
    const body = said
      ? JSON.parse(said)
      : await fetch(address, { signal: signal ?? null }).then((answer) => answer.json());
    return TRPCClientError.from<AppRouter>(body);
  } catch (cause) {
    return TRPCClientError.from<AppRouter>(cause as Error);
  }
}
