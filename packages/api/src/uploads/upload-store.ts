import { Readable } from "node:stream";
import { CarillonError, uploadWindowMs } from "@carillon/domain";
import { DataStore, Upload } from "@tus/server";
import type { Received } from "./content-receiver.ts";
import type { UploadBody } from "./upload-body.ts";
import type { UploadProgress, Uploads } from "./uploads.ts";

/**
 * What one request's tus server keeps its upload in. It is the request's own, so that what was found out on the way is known
 * when the answer is written: tus's handlers do not pass it on.
 */
export class UploadStore extends DataStore {
  override readonly extensions = ["expiration", "termination"];
  readonly #uploads: Uploads;
  readonly #body: UploadBody;
  /** How far the upload was when it was looked up. */
  progress: UploadProgress | undefined;
  /** What was received by the end of the request. */
  received: Received | undefined;
  /** Why this failed: the streams between the handlers and here replace an error by their own. */
  failure: unknown;

  constructor(uploads: Uploads, body: UploadBody) {
    super();
    this.#uploads = uploads;
    this.#body = body;
  }

  override async getUpload(id: string): Promise<Upload> {
    const found = await this.#uploads.progress(id);
    this.progress = found;
    this.received = found.received;
    const { offset, bytes, uploadBy } = found;
    this.#body.limit(bytes - offset);
    const committedAt = new Date(Date.parse(uploadBy) - uploadWindowMs).toISOString();
    return new Upload({ id, size: bytes, offset, creation_date: committedAt });
  }

  /** Gives the new offset. A body that broke off has ended for tus, so what came of it is stored. */
  override async write(content: Readable, id: string, offset: number): Promise<number> {
    try {
      const arriving = Readable.toWeb(content) as ReadableStream<Uint8Array>;
      const stored = await this.#uploads.append(id, offset, arriving);
      const failure = this.#body.failure();
      if (failure) throw failure;
      return stored;
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }

  async finish(id: string): Promise<void> {
    this.received ??= await this.#uploads.finish(id);
  }

  /** Whether the content has come by another request, since this one failed on the way. */
  async receivedMeanwhile(id: string): Promise<boolean> {
    if (!(this.failure instanceof CarillonError)) return false;
    this.received ??= await this.#uploads.received(id);
    return this.received !== undefined;
  }

  override async remove(id: string): Promise<void> {
    await this.#uploads.discard(id);
  }

  /** In milliseconds from `creation_date`. */
  override getExpiration(): number {
    return uploadWindowMs;
  }
}
