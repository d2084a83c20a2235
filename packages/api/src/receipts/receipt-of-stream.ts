import { CarillonError, type ErrorCode, type SubmissionEvent, type TenantId } from "@carillon/domain";
import type { EventLog, Executed } from "@carillon/platform";
import type { ReceiptKeys } from "./receipt-keys.ts";
import { type ReceiptKind, readHandIn, receiptFor } from "./submission-receipt.ts";

interface ReceiptServices {
  readonly eventLog: Pick<EventLog, "readStream">;
  readonly receiptKeys: Pick<ReceiptKeys, "at">;
}

/** The receipt of what stands in a submission's stream. Throws `submission_unknown`. */
export const receiptOfStream = async (
  { eventLog, receiptKeys }: ReceiptServices,
  stream: string,
  kind: ReceiptKind,
): Promise<string> => receiptFor(receiptKeys, kind, await readHandIn(eventLog.readStream(stream)));

/** The receipt after a commit: of the append's own answer where that began the stream, else of what stands in the log. */
export function receiptAfterCommit(
  services: ReceiptServices,
  kind: ReceiptKind,
  tenantId: TenantId,
  { stream, revision, position, events, added }: Omit<Executed<unknown, SubmissionEvent>, "state">,
): Promise<string> {
  const committed = events.find((event) => event.type === "SubmissionCommitted")?.data;
  const isAlone = revision === added - 1;
  if (!committed || !isAlone) return receiptOfStream(services, stream, kind);
  const receivedAt = events.find((event) => event.type === "SubmissionReceived")?.data.receivedAt;
  const handIn = { tenantId, committed, stream, revision: 0, position, receivedAt: receivedAt ?? null };
  return receiptFor(services.receiptKeys, kind, handIn);
}

/** Refusals because of what was handed in before: its first receipt goes with them. */
const refusedForAnother: readonly ErrorCode[] = ["submission_key_taken", "submission_lapsed"];

/** Adds to a refusal the receipt that was given first. */
export async function withFirstReceipt<Result>(
  services: ReceiptServices,
  stream: string,
  call: Promise<Result>,
): Promise<Result> {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof CarillonError) || !refusedForAnother.includes(error.code)) throw error;
    const receipt = await receiptOfStream(services, stream, "first");
    throw new CarillonError(error.code, error.message, { cause: error, receipt });
  }
}
