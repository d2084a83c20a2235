import {
  CarillonError,
  instantOf,
  type SubmissionCommand,
  streamName,
  submissionDecider,
} from "@carillon/domain";
import { type Caller, envelope } from "../../http/command-envelope.ts";
import { receiptOfStream, withFirstReceipt } from "../../receipts/receipt-of-stream.ts";
import { readHandIn } from "../../receipts/submission-receipt.ts";
import type { ReceivedInput } from "../inputs.ts";
import type { SubmissionServices } from "../submission-services.ts";

/** Takes note of content that the client sent to the store's own address. */
export async function receive(services: SubmissionServices, caller: Caller, { submissionId }: ReceivedInput) {
  const { eventLog, objects } = services;
  const { tenantId, actor } = caller;
  const stream = streamName("submission", tenantId, submissionId);
  const { committed, receivedAt } = await readHandIn(eventLog.readStream(stream));
  const { studentId, content, committedAt } = committed;
  if (studentId !== actor.sub) {
    throw new CarillonError("submission_unknown", "There is no such submission at this school.");
  }
  // Content that was there before the commit is somebody else's: to know its digest is not to have it.
  if (!receivedAt && !(await objects.has(tenantId, content.sha256, new Date(committedAt)))) {
    throw new CarillonError("content_missing", "The content has not come: send it to its address first.");
  }
  const at = instantOf(new Date());
  const { position } = await withFirstReceipt(
    services,
    stream,
    eventLog.execute(submissionDecider, tenantId, submissionId, [
      envelope<SubmissionCommand>(caller, at, { type: "ReceiveContent", sha256: content.sha256, at }),
    ]),
  );
  const receipt = await receiptOfStream(services, stream, "fullest");
  return { submissionId, receipt, position: String(position) };
}
