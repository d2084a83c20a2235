import {
  assignmentDecider,
  authorize,
  CarillonError,
  fieldReader,
  submissionAnswerColumns,
} from "@carillon/domain";
import { type Caller, personOf } from "../http/command-envelope.ts";
import { answer, page } from "../http/query-freshness.ts";
import { receiptOfStream } from "../receipts/receipt-of-stream.ts";
import type { ListInput, MineInput, ReceiptInput } from "./inputs.ts";
import { type SubmissionServices, submissionOf } from "./submission-services.ts";

const fieldsOfSubmission = fieldReader(submissionAnswerColumns);

/** The receipt of what was handed in under a key. Throws `submission_unknown`. */
export async function receipt(
  services: SubmissionServices,
  { tenantId, actor }: Caller,
  { assignmentId, key, studentId }: ReceiptInput,
) {
  if (studentId !== undefined && studentId !== actor.sub) authorize(actor.roles, "submissions.list");
  const { submissionId, stream } = submissionOf(
    tenantId,
    assignmentId,
    studentId ?? personOf({ actor }),
    key,
  );
  return { submissionId, receipt: await receiptOfStream(services, stream, "fullest") };
}

export const submissionsOfCaller = async (
  { database }: Pick<SubmissionServices, "database">,
  caller: Caller,
  { assignmentId, atLeast }: MineInput,
) =>
  answer(
    await database.read(caller.tenantId, { projection: "submissions", atLeast }, async (tx) => {
      let query = tx
        .selectFrom("submissions.submissions")
        .selectAll()
        .where("student_id", "=", personOf(caller))
        .orderBy("handed_in_at", "desc")
        .orderBy("submission_id");
      if (assignmentId) query = query.where("assignment_id", "=", assignmentId);
      return { submissions: (await query.execute()).map(fieldsOfSubmission) };
    }),
  );

/** Throws `assignment_unknown`. */
export async function submissionsOfAssignment(
  { database, eventLog }: Pick<SubmissionServices, "database" | "eventLog">,
  { tenantId }: Caller,
  { assignmentId, atLeast, after, limit }: ListInput,
) {
  const { state: assignment } = await eventLog.load(assignmentDecider, tenantId, assignmentId);
  if (!assignment) {
    throw new CarillonError("assignment_unknown", "There is no such assignment at this school.");
  }
  return answer(
    await database.read(tenantId, { projection: "submissions", atLeast }, async (tx) => {
      let query = tx
        .selectFrom("submissions.submissions")
        .selectAll()
        .where("assignment_id", "=", assignmentId)
        .orderBy("submission_id")
        .limit(limit + 1);
      if (after) query = query.where("submission_id", ">", after);
      const { items, next } = page(await query.execute(), limit, (row) => row.submission_id);
      return { submissions: items.map(fieldsOfSubmission), next };
    }),
  );
}
