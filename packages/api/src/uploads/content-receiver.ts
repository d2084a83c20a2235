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
import { type AwaitedContent, submissionLapsed } from "./upload-addresses.ts";
import type { UploadParts } from "./upload-parts.ts";

/** What a client was after. */
export interface Received {
  readonly submissionId: SubmissionId;
  readonly receipt: string;
  readonly position: string;
}

/** Makes content of the parts that have come, and says so in the log. */
export interface ContentReceiver {
  /** What was received before; undefined as long as it may come. Throws `submission_lapsed`. */
  received(awaited: AwaitedContent): Promise<Received | undefined>;
  /**
   * Checks the parts, stores them as content, and appends that it was received. Gives one receipt, however often and in however
   * many workers it is called. Parts that can become nothing right are discarded: `content_missing`, `content_too_large`,
   * `content_digest_mismatch`.
   */
  receive(awaited: AwaitedContent): Promise<Received>;
}

export interface ReceiverServices {
  readonly eventLog: EventLog;
  readonly objects: Pick<ContentStore, "putStream">;
  readonly uploadParts: UploadParts;
  readonly receiptKeys: ReceiptKeys;
}

/** A submission has one content, whichever upload it comes through. */
export const partsOf = ({ tenantId, submissionId }: AwaitedContent) => `${tenantId}.${submissionId}`;

const hopeless: readonly ErrorCode[] = ["content_missing", "content_too_large", "content_digest_mismatch"];

export function contentReceiver(services: ReceiverServices): ContentReceiver {
  const { eventLog, objects, uploadParts, receiptKeys } = services;
  /** A client that asks while its content is being stored must not have it stored twice. */
  const receiving = new Map<string, Promise<Received>>();

  const withReceipt = async (awaited: AwaitedContent, position: bigint): Promise<Received> => {
    const { tenantId, submissionId } = awaited;
    const stream = streamName(submissionDecider.category, tenantId, submissionId);
    const receipt = await receiptFor(receiptKeys, "fullest", await readHandIn(eventLog.readStream(stream)));
    return { submissionId, receipt, position: String(position) };
  };

  const received = async (awaited: AwaitedContent): Promise<Received | undefined> => {
    const { state, last } = await eventLog.load(submissionDecider, awaited.tenantId, awaited.submissionId);
    if (state?.received && last) return withReceipt(awaited, last.position);
    if (state?.lapsed || instantOf(new Date()) >= awaited.uploadBy) throw submissionLapsed();
    return undefined;
  };

  /** Stores content before the promise that it is there. */
  const storeContent = async (awaited: AwaitedContent): Promise<Received> => {
    const { tenantId, submissionId, sha256 } = awaited;
    await objects.putStream(tenantId, awaited, uploadParts.read(partsOf(awaited)));
    const at = instantOf(new Date());
    const { position } = await eventLog.execute(submissionDecider, tenantId, submissionId, [
      {
        command: { type: "ReceiveContent", sha256, at },
        context: commandContext(tenantId, "system:uploads", at),
      },
    ]);
    return withReceipt(awaited, position);
  };

  const receiveParts = async (awaited: AwaitedContent): Promise<Received> => {
    try {
      const stored = await storeContent(awaited);
      // They would go by themselves.
      await uploadParts.discard(partsOf(awaited)).catch(() => {});
      return stored;
    } catch (error) {
      // Another worker may have been faster, and have taken the parts away.
      const meanwhile = await received(awaited);
      if (meanwhile) return meanwhile;
      const cause = causeOf(error);
      if (cause instanceof CarillonError && hopeless.includes(cause.code)) {
        await uploadParts.discard(partsOf(awaited));
      }
      throw cause;
    }
  };

  return {
    received,
    receive(awaited) {
      const key = partsOf(awaited);
      const underWay = receiving.get(key);
      if (underWay) return underWay;
      const call = receiveParts(awaited).finally(() => receiving.delete(key));
      receiving.set(key, call);
      return call;
    },
  };
}

/** A stream that breaks off is `content_missing` to its reader; why it broke off says more. */
const causeOf = (error: unknown) =>
  error instanceof CarillonError && error.cause instanceof CarillonError ? error.cause : error;
