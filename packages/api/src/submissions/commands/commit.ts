import {
  instantOf,
  type SubmissionCommand,
  type SubmissionId,
  type SubmissionState,
  submissionDecider,
  type TenantId,
  uploadWindowMs,
} from "@carillon/domain";
import { byFacts } from "@carillon/platform";
import { type Caller, envelope, personOf } from "../../http/command-envelope.ts";
import { receiptAfterCommit, withFirstReceipt } from "../../receipts/receipt-of-stream.ts";
import { type AwaitedContent, submissionLapsed } from "../../uploads/upload-addresses.ts";
import type { CommitInput } from "../inputs.ts";
import { type SubmissionServices, submissionOf } from "../submission-services.ts";

/** Hands in a digest, and offers an upload for its content where that has not come. */
export async function commit(
  services: SubmissionServices,
  caller: Caller,
  { assignmentId, key, ...content }: CommitInput,
) {
  const { eventLog, handInFacts, uploadAddresses } = services;
  const { tenantId, arrivedAt: at } = caller;
  const studentId = personOf(caller);
  const { submissionId, stream } = submissionOf(tenantId, assignmentId, studentId, key);
  const uploadBy = instantOf(new Date(Date.parse(at) + uploadWindowMs));
  const commands = byFacts(handInFacts(tenantId, assignmentId, studentId), (facts) => [
    envelope<SubmissionCommand>(caller, at, { type: "CommitSubmission", facts, key, content, at, uploadBy }),
  ]);
  const executed = await withFirstReceipt(
    services,
    stream,
    eventLog.execute(submissionDecider, tenantId, submissionId, commands, { expectNew: true }),
  );
  const { state, position, added } = executed;
  const receipt = await receiptAfterCommit(services, "first", tenantId, executed);
  const awaited = awaitedContent(tenantId, submissionId, state);
  if (awaited && (state?.lapsed || at >= awaited.uploadBy)) throw submissionLapsed(receipt);
  const upload = awaited ? await uploadAddresses.offer(awaited, added > 0) : null;
  return { submissionId, receipt, position: String(position), upload };
}

/** Content that was committed and has not come. */
function awaitedContent(
  tenantId: TenantId,
  submissionId: SubmissionId,
  state: SubmissionState,
): AwaitedContent | undefined {
  if (!state?.content || state.received || state.uploadBy === null) return undefined;
  const { sha256, bytes } = state.content;
  return { tenantId, submissionId, sha256, bytes, uploadBy: state.uploadBy };
}
