import type { AppRouter } from "@carillon/api";
import { maxInlineBytes } from "@carillon/domain/limits";
import { TRPCClientError } from "@trpc/client";
import type { inferRouterInputs, inferRouterOutputs } from "@trpc/server";
import type { Session } from "../login/session.ts";
import { patienceOf, pause } from "./patience.ts";
import { type SendOptions, sendByTus } from "./send-content.ts";

type Inputs = inferRouterInputs<AppRouter>["submissions"];
type Outputs = inferRouterOutputs<AppRouter>["submissions"];
type CommittedUpload = NonNullable<Outputs["commit"]["upload"]>;
/** What a student who hands in is after. */
export type HandedIn = Outputs["submit"];

/** A file for an assignment. A retry has the same key, a new attempt another. */
export type WorkToHandIn = Pick<Inputs["commit"], "assignmentId" | "key" | "name" | "mediaType"> & {
  readonly file: Blob | Uint8Array<ArrayBuffer>;
};

export interface HandInOptions extends SendOptions {
  /** Told of the commit's receipt: from then on the work is in time, and its content is to follow. */
  readonly onCommitted?: (receipt: string) => void;
}

/**
 * Hands in a file and gives its receipt: a small one in one request; of a larger one the digest first, which decides
 * whether it is in time, and its content when it is its turn, going on where a broken connection left it. A client without a
 * receipt calls again with the same key: nothing is done twice.
 *
 * Throws a `TRPCClientError` with an `errorCode`, such as `assignment_closed`, `content_too_large`, or
 * `submission_key_taken` with the first receipt in `data.receipt`. It needs Web Crypto, which browsers have on https and
 * localhost, and the file in memory while its digest is made.
 *
 * @example
 * ```ts
 * import type { Session } from "../login/session.ts";
 *
 * const handInFile = async (session: Session, assignmentId: string, draftId: string, file: File) => {
 *   const work = { assignmentId, key: draftId, file, name: file.name, mediaType: file.type };
 *   return (await handIn(session, work)).receipt;
 * };
 * ```
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
  if (upload.protocol === "tus") {
    return { submissionId, ...(await sendByTus(new URL(upload.url, url), content, options)) };
  }
  await sendWhole(upload, content, options);
  return submissions.received.mutate({ submissionId }, calling);
}

/** Sends everything to an address of the store's own, again from the beginning where it breaks off. */
async function sendWhole(
  { url, headers }: CommittedUpload,
  content: Blob,
  options: HandInOptions,
): Promise<void> {
  const patience = patienceOf(options);
  // The length is the content's own: a browser lets nobody else state it.
  const { "content-length": _, ...stated } = headers;
  for (;;) {
    try {
      const answer = await fetch(url, {
        method: "PUT",
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

/** In hexadecimal digits. */
async function sha256Of(content: Blob): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await content.arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function asBase64(content: Blob): Promise<string> {
  const bytes = new Uint8Array(await content.arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
