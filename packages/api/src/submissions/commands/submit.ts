import { type Content, type SubmissionCommand, submissionDecider } from "@carillon/domain";
import { byFacts } from "@carillon/platform";
import { type Caller, envelope, personOf } from "../../http/command-envelope.ts";
import { receiptAfterCommit, withFirstReceipt } from "../../receipts/receipt-of-stream.ts";
import { readFile } from "../file-input.ts";
import type { HandInKey, SubmitInput } from "../inputs.ts";
import { type SubmissionServices, type Submitted, submissionOf } from "../submission-services.ts";

/** Hands in a file that came in the request: one call for all that bring the same. */
export async function submit(
  services: SubmissionServices,
  caller: Caller,
  { file, sha256, ...handIn }: SubmitInput,
): Promise<Submitted> {
  const { bytes, content } = readFile(file, sha256);
  const { submissionId } = submissionOf(caller.tenantId, handIn.assignmentId, personOf(caller), handIn.key);
  return services.submitOnce(`${submissionId}/${content.sha256}`, () =>
    commitWithContent(services, caller, handIn, content, bytes),
  );
}

/** Stores content and appends its commit and its arrival in one write. */
async function commitWithContent(
  services: SubmissionServices,
  caller: Caller,
  { assignmentId, key }: HandInKey,
  content: Content,
  bytes: Uint8Array,
): Promise<Submitted> {
  const { eventLog, objects, handInFacts } = services;
  const { tenantId, arrivedAt: at } = caller;
  const studentId = personOf(caller);
  const { submissionId, stream } = submissionOf(tenantId, assignmentId, studentId, key);
  let stored: Promise<unknown> | undefined;
  const storeOnce = () => {
    stored ??= objects.put(tenantId, content.sha256, bytes);
    return stored;
  };
  const commands = byFacts(handInFacts(tenantId, assignmentId, studentId), (facts) => [
    envelope<SubmissionCommand>(caller, at, {
      type: "CommitSubmission",
      facts,
      key,
      content,
      at,
      uploadBy: null,
    }),
    // It may follow a commit that came without content.
    envelope<SubmissionCommand>(caller, at, { type: "ReceiveContent", sha256: content.sha256, at }),
  ]);
  const executed = await withFirstReceipt(
    services,
    stream,
    eventLog.execute(submissionDecider, tenantId, submissionId, commands, {
      expectNew: true,
      // Content is stored before the event that says so.
      beforeAppend: storeOnce,
    }),
  );
  const receipt = await receiptAfterCommit(services, "fullest", tenantId, executed);
  return { submissionId, receipt, position: String(executed.position) };
}
