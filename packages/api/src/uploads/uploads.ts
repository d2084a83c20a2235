import {
  CarillonError,
  type ErrorCode,
  instantOf,
  type SubmissionId,
  streamName,
  submissionDecider,
} from "@carillon/domain";
import { type ContentStore, commandContext, type EventLog } from "@carillon/platform";
import type { ReceiptKeys } from "../receipts/receipt-keys.ts";
import { readHandIn, receiptFor } from "../receipts/submission-receipt.ts";
import { bounded } from "./upload-body.ts";
import type { UploadParts } from "./upload-parts.ts";
import { readRange, type UploadRange } from "./upload-range.ts";
import { type AwaitedContent, submissionLapsed, type UploadSlots } from "./upload-tickets.ts";

/** What a client was after. */
export interface Received {
  readonly submissionId: SubmissionId;
  readonly receipt: string;
  readonly position: string;
}

/** How far an upload is: `offset` of its `bytes` are stored; once it is received it has a receipt. */
export interface UploadProgress {
  readonly offset: number;
  readonly bytes: number;
  readonly received: Received | undefined;
}

/**
 * Uploads into slots. Both calls throw `CarillonError`: `upload_unknown` for an id that is not ours, `submission_lapsed`
 * where the content comes too late, `unavailable`.
 */
export interface Uploads {
  progress(id: string): Promise<UploadProgress>;
  /**
   * Takes content, or the part of it that a `Content-Range` names. What came of a part is kept even where it breaks off;
   * content that is sent as a whole is kept when all of it is there. Where too much came, or the digest is wrong, every part is
   * discarded, so that the client can begin again. Content that was received before stays so, whatever is sent. Throws besides:
   * `upload_offset_mismatch`, `content_missing`, `content_too_large`, `content_digest_mismatch`, `malformed`, and `busy` where too
   * many send at once.
   */
  take(
    id: string,
    contentRange: string | undefined,
    body: ReadableStream<Uint8Array> | null,
  ): Promise<UploadProgress>;
}

export interface UploadServices {
  readonly eventLog: EventLog;
  readonly objects: Pick<ContentStore, "putStream">;
  readonly uploadParts: UploadParts;
  readonly uploadSlots: Pick<UploadSlots, "read">;
  readonly receiptKeys: ReceiptKeys;
}

/** So many uploads one worker takes at once: each has up to a MiB in memory. */
const maxAtOnce = 256;
const busyMs = 2_000;
/** Nothing of an upload is remembered here: any worker can go on with it. */
export function openUploads(services: UploadServices): Uploads {
  const { eventLog, objects, uploadParts, uploadSlots, receiptKeys } = services;
  let underWay = 0;

  const slotOf = (id: string): AwaitedContent => {
    const slot = uploadSlots.read(id);
    if (slot) return slot;
    throw new CarillonError("upload_unknown", "There is no such upload: commit again and use its address.");
  };

  const complete = async (slot: AwaitedContent, position: bigint): Promise<UploadProgress> => {
    const { tenantId, submissionId, bytes } = slot;
    const stream = streamName(submissionDecider.category, tenantId, submissionId);
    const receipt = await receiptFor(receiptKeys, "fullest", await readHandIn(eventLog.readStream(stream)));
    return { offset: bytes, bytes, received: { submissionId, receipt, position: String(position) } };
  };

  /** The upload as complete, if its content was received before; undefined as long as it may come. */
  const alreadyReceived = async (slot: AwaitedContent): Promise<UploadProgress | undefined> => {
    const { state, last } = await eventLog.load(submissionDecider, slot.tenantId, slot.submissionId);
    if (state?.received && last) return complete(slot, last.position);
    if (state?.lapsed || instantOf(new Date()) >= slot.uploadBy) throw submissionLapsed();
    return undefined;
  };

  /** The promise of a receipt that says so. Who was faster has the same receipt. */
  const receive = async (slot: AwaitedContent): Promise<UploadProgress> => {
    const { tenantId, submissionId, sha256 } = slot;
    const at = instantOf(new Date());
    const { position } = await eventLog.execute(submissionDecider, tenantId, submissionId, [
      {
        command: { type: "ReceiveContent", sha256, at },
        context: commandContext(tenantId, "system:uploads", at),
      },
    ]);
    return complete(slot, position);
  };

  const takeWhole = async (slot: AwaitedContent, body: ReadableStream<Uint8Array> | null) => {
    await objects.putStream(slot.tenantId, slot, bounded(body, slot.bytes));
    return receive(slot);
  };

  /** Discards the parts where a call fails with one of these codes: they can become nothing right any more. */
  const orDiscard = async <Result>(
    slot: AwaitedContent,
    codes: readonly ErrorCode[],
    call: Promise<Result>,
  ): Promise<Result> => {
    try {
      return await call;
    } catch (error) {
      const cause = causeOf(error);
      if (cause instanceof CarillonError && codes.includes(cause.code)) {
        await uploadParts.discard(partsOf(slot));
      }
      throw cause;
    }
  };

  /** Makes content of the parts when all are there. */
  const join = async (slot: AwaitedContent, offset: number): Promise<UploadProgress> => {
    if (offset < slot.bytes) return { offset, bytes: slot.bytes, received: undefined };
    const joining = objects.putStream(slot.tenantId, slot, uploadParts.read(partsOf(slot)));
    await orDiscard(slot, ["content_missing", "content_too_large", "content_digest_mismatch"], joining);
    return receive(slot);
  };

  const takePart = async (
    slot: AwaitedContent,
    { offset, bytes }: UploadRange,
    body: ReadableStream<Uint8Array> | null,
  ): Promise<UploadProgress> => {
    const appending = uploadParts.append(partsOf(slot), offset, bounded(body, bytes));
    return join(slot, await orDiscard(slot, ["content_too_large"], appending));
  };

  const take: Uploads["take"] = async (id, contentRange, body) => {
    const slot = slotOf(id);
    const range = readRange(contentRange, slot.bytes);
    const before = await alreadyReceived(slot);
    if (before) return before;
    try {
      const after =
        range === undefined
          ? await takeWhole(slot, body)
          : range === "none"
            ? await join(slot, await uploadParts.size(partsOf(slot)))
            : await takePart(slot, range, body);
      // They would go by themselves.
      if (after.received) await uploadParts.discard(partsOf(slot)).catch(() => {});
      return after;
    } catch (error) {
      // Another request for the same slot may have been faster, and have taken the parts away.
      const meanwhile = await alreadyReceived(slot);
      if (meanwhile) return meanwhile;
      throw causeOf(error);
    }
  };

  return {
    async progress(id) {
      const slot = slotOf(id);
      const received = await alreadyReceived(slot);
      if (received) return received;
      return { offset: await uploadParts.size(partsOf(slot)), bytes: slot.bytes, received: undefined };
    },
    async take(id, contentRange, body) {
      if (underWay >= maxAtOnce) {
        throw new CarillonError("busy", "Many are sending at this moment: go on in a few seconds.", {
          wait: { retryAfterMs: busyMs, place: null },
        });
      }
      underWay++;
      try {
        return await take(id, contentRange, body);
      } finally {
        underWay--;
      }
    },
  };
}

/** A submission has one content, whichever slot it comes through. */
const partsOf = ({ tenantId, submissionId }: AwaitedContent) => `${tenantId}.${submissionId}`;

/** A stream that breaks off is `content_missing` to who reads it; why it broke off says more. */
const causeOf = (error: unknown) =>
  error instanceof CarillonError && error.cause instanceof CarillonError ? error.cause : error;
