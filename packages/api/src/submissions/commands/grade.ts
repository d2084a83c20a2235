import { instantOf, type SubmissionCommand, submissionDecider } from "@carillon/domain";
import { type Caller, envelope } from "../../http/command-envelope.ts";
import { authorizeInClass } from "../../school/class-access.ts";
import type { GradeInput } from "../inputs.ts";
import type { SubmissionServices } from "../submission-services.ts";

/** Grades a submission, in place of any grade before. Throws `not_a_member` and `submission_unknown`. */
export async function grade(
  { eventLog }: Pick<SubmissionServices, "eventLog">,
  caller: Caller,
  { submissionId, score, feedback }: GradeInput,
) {
  const { tenantId } = caller;
  const { state: submission } = await eventLog.load(submissionDecider, tenantId, submissionId);
  if (submission) await authorizeInClass(eventLog, caller, submission.work.classId);
  const { position } = await eventLog.execute(submissionDecider, tenantId, submissionId, [
    envelope<SubmissionCommand>(caller, instantOf(new Date()), { type: "GradeSubmission", score, feedback }),
  ]);
  return { position: String(position) };
}
