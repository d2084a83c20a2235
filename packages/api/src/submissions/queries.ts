import {
  type AssignmentId,
  assignmentDecider,
  authorize,
  CarillonError,
  type ClassId,
  instantOf,
  type SubmissionId,
  type UserId,
} from "@carillon/domain";
import type { LiveDatabase } from "@carillon/platform";
import { type Caller, personOf } from "../http/command-envelope.ts";
import { answer, page } from "../http/query-freshness.ts";
import { receiptOfStream } from "../receipts/receipt-of-stream.ts";
import type { ListInput, MineInput, ReceiptInput } from "./inputs.ts";
import { type SubmissionServices, submissionOf } from "./submission-services.ts";

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
      return { submissions: (await query.execute()).map(asSubmission) };
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
      return { submissions: items.map(asSubmission), next };
    }),
  );
}

const asSubmission = (row: LiveDatabase["submissions.submissions"]) => ({
  submissionId: row.submission_id as SubmissionId,
  assignmentId: row.assignment_id as AssignmentId,
  classId: row.class_id as ClassId,
  studentId: row.student_id as UserId,
  key: row.key,
  sha256: row.sha256,
  bytes: row.bytes,
  name: row.name,
  mediaType: row.media_type,
  handedInAt: instantOf(row.handed_in_at),
  late: row.late,
  penaltyPercent: row.penalty_percent,
  uploadBy: row.upload_by && instantOf(row.upload_by),
  receivedAt: row.received_at && instantOf(row.received_at),
  lapsedAt: row.lapsed_at && instantOf(row.lapsed_at),
  banked: row.banked,
  score: row.score,
  rawScore: row.raw_score,
  grader: row.grader,
  feedback: row.feedback,
  gradedAt: row.graded_at && instantOf(row.graded_at),
  counts: row.counts,
});
