import { CarillonError, type Instant, type TenantId } from "@carillon/domain";
import { type Position, type RecordedEvent, signReceipt } from "@carillon/platform";
import type { ReceiptKeys } from "./receipt-keys.ts";

/** What the log says of a hand-in, of which its receipts are made. */
export interface HandIn {
  readonly tenantId: TenantId;
  readonly committed: Extract<RecordedEvent, { type: "SubmissionCommitted" }>["data"];
  readonly stream: string;
  /** Of the commit. */
  readonly revision: number;
  /** Of the last event of the append that the commit came in: what the log answered that append with. */
  readonly position: Position;
  readonly receivedAt: Instant | null;
}

/**
 * Reads a hand-in from its submission's stream. Throws `submission_unknown` where nothing was handed in to us.
 *
 * @param events from the stream's first
 */
export async function readHandIn(events: AsyncIterable<RecordedEvent>): Promise<HandIn> {
  let handIn: HandIn | undefined;
  for await (const event of events) {
    if (event.type === "SubmissionCommitted") {
      const { data, stream, revision, position, metadata } = event;
      const { tenantId } = metadata;
      handIn = { tenantId, committed: data, stream, revision, position, receivedAt: null };
    }
    if (event.type === "SubmissionReceived" && handIn) {
      const { receivedAt } = event.data;
      handIn = { ...handIn, receivedAt, ...(cameWithCommit(handIn) && { position: event.position }) };
    }
  }
  if (handIn) return handIn;
  throw new CarillonError("submission_unknown", "Nothing was handed in to us under this key.");
}

const cameWithCommit = ({ committed }: HandIn) => committed.uploadBy === null;

/** What a receipt is asked for: what the commit was first answered with, or all that is known now. */
export type ReceiptKind = "first" | "fullest";

/**
 * Signs a hand-in's receipt. It is made of what stands in the log, with the key that signed at the time of the commit, so
 * that it is the same text whenever it is asked for. The first receipt of content that came after its commit
 * never says when it came; the fullest one does, from then on.
 */
export async function receiptFor(
  keys: Pick<ReceiptKeys, "at">,
  kind: ReceiptKind,
  handIn: HandIn,
): Promise<string> {
  const { tenantId, committed, stream, revision, position, receivedAt } = handIn;
  return signReceipt(await keys.at(committed.committedAt), {
    tenantId,
    assignmentId: committed.assignmentId,
    studentId: committed.studentId,
    key: committed.key,
    sha256: committed.content.sha256,
    committedAt: committed.committedAt,
    receivedAt: kind === "fullest" || cameWithCommit(handIn) ? receivedAt : null,
    stream,
    revision,
    position: String(position),
  });
}
