import type { AppRouter } from "@carillon/api";
import { maxInlineBytes } from "@carillon/domain/limits";
import { TRPCClientError } from "@trpc/client";
import type { inferRouterInputs, inferRouterOutputs } from "@trpc/server";
import { backOffMs, spread } from "../http/retry-when-busy.ts";
import type { Session } from "../login/session.ts";

type Inputs = inferRouterInputs<AppRouter>["submissions"];
type Outputs = inferRouterOutputs<AppRouter>["submissions"];
type UploadSlot = NonNullable<Outputs["commit"]["upload"]>;
/** What whoever hands in is after. */
export type HandedIn = Outputs["submit"];

/** A file for an assignment. A retry has the same key, a new attempt another. */
export type WorkToHandIn = Pick<Inputs["commit"], "assignmentId" | "key" | "name" | "mediaType"> & {
  readonly file: Blob | Uint8Array<ArrayBuffer>;
};

export interface HandInOptions {
  /** Told of the commit's receipt: from then on the work is in time, and its content is to follow. */
  readonly onCommitted?: (receipt: string) => void;
  /** Told how many bytes the service has. */
  readonly onProgress?: (bytes: number) => void;
  /** For how long it goes on while nothing gets through, in milliseconds. */
  readonly patienceMs?: number;
  readonly signal?: AbortSignal;
}

/** How much is sent at once, in bytes. */
const partBytes = 4 * 1024 ** 2;
const usualPatienceMs = 10 * 60_000;

/**
 * Hands in a file and gives its receipt: a small one in one request; of a larger one the digest first, which decides
 * whether it is in time, and its content when it is its turn, going on where a broken connection left it. Whoever has no
 * receipt calls again with the same key: nothing is done twice.
 *
 * Throws a `TRPCClientError` with an `errorCode`, such as `assignment_closed`, `content_too_large`, or
 * `submission_key_taken` with the first receipt in `data.receipt`. It needs Web Crypto, which browsers have on https and
 * localhost, and the file in memory while its digest is made.
 *
 * @example
 * const { receipt } = await handIn(session, { assignmentId, key: draft.id, file, name: file.name, mediaType: file.type });
 */
export async function handIn(
  { client, url }: Pick<Session, "client" | "url">,
  { file, ...work }: WorkToHandIn,
  options: HandInOptions = {},
): Promise<HandedIn> {
  const { submissions } = client;
  const calling = options.signal ? { signal: options.signal } : {};
  const content = file instanceof Blob ? file : new Blob([file]);
  if (content.size <= maxInlineBytes) {
    const { assignmentId, key, name, mediaType } = work;
    const base64 = await asBase64(content);
    return submissions.submit.mutate({ assignmentId, key, file: { name, mediaType, base64 } }, calling);
  }
  const sha256 = await sha256Of(content);
  const committed = await submissions.commit.mutate({ ...work, sha256, bytes: content.size }, calling);
  const { submissionId, receipt, position, upload } = committed;
  if (!upload) {
    const fullest = await submissions.receipt.query(
      { assignmentId: work.assignmentId, key: work.key },
      calling,
    );
    return { submissionId, receipt: fullest.receipt, position };
  }
  options.onCommitted?.(receipt);
  await pause(upload.waitMs, options.signal);
  if (upload.url.startsWith("/")) return sendParts(new URL(upload.url, url), content, options);
  await sendWhole(upload, content, options);
  return submissions.received.mutate({ submissionId }, calling);
}

/** Sends part after part. After a failure it asks how far the upload is. */
async function sendParts(address: URL, content: Blob, options: HandInOptions): Promise<HandedIn> {
  const { onProgress, signal = null } = options;
  const patience = patienceOf(options);
  let offset = 0;
  let isKnown = true;
  for (;;) {
    try {
      const request = isKnown ? partFrom(content, offset) : { method: "GET" };
      const progress = await asked(address, { ...request, signal });
      if ("receipt" in progress) {
        onProgress?.(content.size);
        return progress;
      }
      if (progress.offset > offset) patience.renew();
      offset = progress.offset;
      isKnown = true;
      onProgress?.(offset);
    } catch (error) {
      await patience.pauseAfter(error);
      isKnown = false;
    }
  }
}

/** The request that brings what comes after `offset`, or asks for the end where everything is there. */
function partFrom(content: Blob, offset: number): RequestInit {
  const { size } = content;
  const end = Math.min(offset + partBytes, size);
  const range = offset < size ? `${offset}-${end - 1}` : "*";
  return {
    method: "PUT",
    headers: { "content-range": `bytes ${range}/${size}` },
    body: content.slice(offset, end),
  };
}

/** Sends everything to an address of the store's own, again from the beginning where it breaks off. */
async function sendWhole(slot: UploadSlot, content: Blob, options: HandInOptions): Promise<void> {
  const { url, method, headers } = slot;
  const patience = patienceOf(options);
  // The length is the content's own: a browser lets nobody else state it.
  const { "content-length": _, ...stated } = headers;
  for (;;) {
    try {
      const answer = await fetch(url, {
        method,
        headers: stated,
        body: content,
        signal: options.signal ?? null,
      });
      if (answer.ok) return;
      throw new Error(`the store answers ${answer.status}`);
    } catch (error) {
      await patience.pauseAfter(TRPCClientError.from<AppRouter>(error as Error));
    }
  }
}

/** An upload's answer. Throws a `TRPCClientError`, without `data` where there was no answer. */
async function asked(address: URL, request: RequestInit): Promise<HandedIn | { offset: number }> {
  const { ok, body } = await fetch(address, request)
    .then(async (answer) => ({ ok: answer.ok, body: await answer.json() }))
    .catch((error: Error) => {
      throw TRPCClientError.from<AppRouter>(error);
    });
  if (!ok) throw TRPCClientError.from<AppRouter>(body);
  return body;
}

/** After these a client asks how far the upload is, and goes on. */
const passing = ["unavailable", "upload_offset_mismatch", "content_missing"];

/** How long a client goes on: anew with every bit that gets through. */
function patienceOf({ patienceMs = usualPatienceMs, signal }: HandInOptions) {
  let deadline = performance.now() + patienceMs;
  let failures = 0;
  return {
    renew() {
      deadline = performance.now() + patienceMs;
      failures = 0;
    },
    /** Waits after a failure that may pass; throws any other, and the last one when patience ends. */
    async pauseAfter(error: unknown): Promise<void> {
      signal?.throwIfAborted();
      if (!(error instanceof TRPCClientError)) throw error;
      const { data } = error as TRPCClientError<AppRouter>;
      const asksToWait = data?.errorCode === "busy" && data.retryAfterMs !== undefined;
      if (data && !asksToWait && !passing.includes(data.errorCode)) throw error;
      const ms = asksToWait ? spread(data.retryAfterMs ?? 0) : backOffMs(++failures);
      if (performance.now() + ms > deadline) throw error;
      await pause(ms, signal);
    },
  };
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  if (ms <= 0) return;
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        reject(signal.reason);
      },
      { once: true },
    );
  });
}

/** In hexadecimal digits. */
async function sha256Of(content: Blob): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await content.arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function asBase64(content: Blob): Promise<string> {
  const bytes = new Uint8Array(await content.arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
