import type { Instant } from "@carillon/domain";
import { type RecordedEvent, signReceipt } from "@carillon/platform";
import type { ReceiptKeys } from "./receipt-keys.ts";

/**
 * Signs the receipt for a submission's first commit. It is made of what stands in the log and nothing else, so that
 * it is the same text whenever it is asked for.
 *
 * @param events the submission's stream from its first event
 */
export async function receiptFor(
  keys: Pick<ReceiptKeys, "current">,
  events: AsyncIterable<RecordedEvent>,
): Promise<string> {
  let committed: Extract<RecordedEvent, { type: "SubmissionCommitted" }> | undefined;
  let receivedAt: Instant | null = null;
  for await (const event of events) {
    if (event.type === "SubmissionCommitted") committed = event;
    if (event.type === "SubmissionReceived") receivedAt = event.data.receivedAt;
  }
  if (!committed) throw new Error("a submission without a commit has no receipt");
  const { data, stream, revision, position, metadata } = committed;
  return signReceipt(await keys.current(), {
    tenantId: metadata.tenantId,
    assignmentId: data.assignmentId,
    studentId: data.studentId,
    key: data.key,
    sha256: data.content.sha256,
    committedAt: data.committedAt,
    receivedAt,
    stream,
    revision,
    position: String(position),
  });
}
