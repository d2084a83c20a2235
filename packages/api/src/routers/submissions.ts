import {
  AssignmentId,
  assignmentDecider,
  CarillonError,
  type ClassId,
  instantOf,
  Score,
  type SubmissionCommand,
  SubmissionId,
  SubmissionKey,
  submissionDecider,
  submissionIdOf,
  type UserId,
} from "@carillon/domain";
import type { LiveDatabase } from "@carillon/platform";
import { z } from "zod";
import type { ApiServices } from "../api-services.ts";
import { authorizeInClass, membershipOf } from "../classroom.ts";
import { step } from "../command.ts";
import { FileInput, readFile, Sha256 } from "../file-input.ts";
import { answer, Page, page, Reading } from "../reading.ts";
import { receiptFor } from "../submission-receipt.ts";
import { router } from "../trpc.ts";

const SubmitInput = z.object({
  assignmentId: AssignmentId,
  key: SubmissionKey,
  file: FileInput,
  sha256: Sha256.optional(),
});

const GradeInput = z.object({
  submissionId: SubmissionId,
  score: Score,
  feedback: z.string().trim().min(1).max(10_000).nullable().default(null),
});

export const submissionsRouter = ({ permitted, eventLog, database, objects, receiptKeys }: ApiServices) =>
  router({
    /** Hands in a file. The same key with the same file gives the first receipt again. */
    submit: permitted("submissions.submit")
      .input(SubmitInput)
      .mutation(async ({ ctx, input: { assignmentId, key, file, sha256 } }) => {
        // Before anything else: this is the moment that decides lateness.
        const at = instantOf(new Date());
        const { bytes, content } = readFile(file, sha256);
        const { tenantId } = ctx;
        const studentId = ctx.actor.sub as UserId;
        const { state: assignment } = await eventLog.load(assignmentDecider, tenantId, assignmentId);
        const membership = assignment
          ? await membershipOf(eventLog, tenantId, assignment.classId, studentId)
          : undefined;
        const commit: SubmissionCommand = {
          type: "CommitSubmission",
          facts: { assignmentId, studentId, assignment, membership },
          key,
          content,
          at,
          uploadBy: null,
        };
        // What is refused today can still be a retry of what was accepted before: then its content is stored already.
        const isNew = submissionDecider.decide(commit, undefined).accepted;
        if (isNew) await objects.put(tenantId, content.sha256, bytes);
        const submissionId = submissionIdOf(tenantId, assignmentId, studentId, key);
        const { stream, position } = await eventLog.execute(
          submissionDecider,
          submissionId,
          [
            step<SubmissionCommand>(ctx, at, commit),
            step<SubmissionCommand>(ctx, at, { type: "ReceiveContent", sha256: content.sha256, at }),
          ],
          { expectNew: isNew },
        );
        const receipt = await receiptFor(receiptKeys, eventLog.readStream(stream));
        return { submissionId, receipt, position: String(position) };
      }),

    /** What the caller has handed in, the newest first. */
    mine: permitted("submissions.mine")
      .input(Reading.extend({ assignmentId: AssignmentId.optional() }).prefault({}))
      .query(async ({ ctx: { tenantId, actor }, input }) =>
        answer(
          await database.read(tenantId, { projection: "submissions", atLeast: input.atLeast }, async (tx) => {
            let query = tx
              .selectFrom("submissions.submissions")
              .selectAll()
              .where("student_id", "=", actor.sub)
              .orderBy("handed_in_at", "desc")
              .orderBy("submission_id");
            if (input.assignmentId) query = query.where("assignment_id", "=", input.assignmentId);
            return { submissions: (await query.execute()).map(asSubmission) };
          }),
        ),
      ),

    /** What was handed in for an assignment. */
    list: permitted("submissions.list")
      .input(Page.extend({ assignmentId: AssignmentId, after: SubmissionId.optional() }))
      .query(async ({ ctx: { tenantId }, input }) => {
        const { state: assignment } = await eventLog.load(assignmentDecider, tenantId, input.assignmentId);
        if (!assignment) {
          throw new CarillonError("assignment_unknown", "There is no such assignment at this school.");
        }
        return answer(
          await database.read(tenantId, { projection: "submissions", atLeast: input.atLeast }, async (tx) => {
            let query = tx
              .selectFrom("submissions.submissions")
              .selectAll()
              .where("assignment_id", "=", input.assignmentId)
              .orderBy("submission_id")
              .limit(input.limit + 1);
            if (input.after) query = query.where("submission_id", ">", input.after);
            const { items, next } = page(await query.execute(), input.limit, (row) => row.submission_id);
            return { submissions: items.map(asSubmission), next };
          }),
        );
      }),

    grade: permitted("submissions.grade")
      .input(GradeInput)
      .mutation(async ({ ctx, input: { submissionId, score, feedback } }) => {
        const { state: submission } = await eventLog.load(submissionDecider, ctx.tenantId, submissionId);
        if (submission) await authorizeInClass(eventLog, ctx, submission.work.classId);
        const { position } = await eventLog.execute(submissionDecider, submissionId, [
          step<SubmissionCommand>(ctx, instantOf(new Date()), { type: "GradeSubmission", score, feedback }),
        ]);
        return { position: String(position) };
      }),
  });

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
  receivedAt: row.received_at && instantOf(row.received_at),
  banked: row.banked,
  score: row.score,
  feedback: row.feedback,
  gradedAt: row.graded_at && instantOf(row.graded_at),
});
