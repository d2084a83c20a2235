import {
  AssignmentId,
  type ErrorCode,
  maxFeedbackLength,
  maxUploadBytes,
  Score,
  SubmissionId,
  SubmissionKey,
  UserId,
} from "@carillon/domain";
import { z } from "zod";
import { Page, Reading } from "../http/query-freshness.ts";
import { FileInput, FileName, MediaType, Sha256 } from "./file-input.ts";

/** The name under which somebody hands in for an assignment. */
export const HandInKey = z.object({ assignmentId: AssignmentId, key: SubmissionKey });
export type HandInKey = z.output<typeof HandInKey>;

export const SubmitInput = HandInKey.extend({ file: FileInput, sha256: Sha256.optional() });
export type SubmitInput = z.output<typeof SubmitInput>;

export const CommitInput = HandInKey.extend({
  sha256: Sha256,
  bytes: z
    .int()
    .refine((bytes) => bytes > 0, {
      message: "the file is empty: choose the one you mean to hand in",
      params: { errorCode: "content_missing" satisfies ErrorCode },
    })
    .refine((bytes) => bytes <= maxUploadBytes, {
      message: `at most ${maxUploadBytes} bytes can be handed in`,
      params: { errorCode: "content_too_large" satisfies ErrorCode },
    }),
  name: FileName,
  mediaType: MediaType,
});
export type CommitInput = z.output<typeof CommitInput>;

export const ReceivedInput = z.object({ submissionId: SubmissionId });
export type ReceivedInput = z.output<typeof ReceivedInput>;

export const GradeInput = z.object({
  submissionId: SubmissionId,
  score: Score,
  feedback: z.string().trim().min(1).max(maxFeedbackLength).nullable().default(null),
});
export type GradeInput = z.output<typeof GradeInput>;

export const ReceiptInput = HandInKey.extend({ studentId: UserId.optional() });
export type ReceiptInput = z.output<typeof ReceiptInput>;

export const MineInput = Reading.extend({ assignmentId: AssignmentId.optional() });
export type MineInput = z.output<typeof MineInput>;

export const ListInput = Page.extend({ assignmentId: AssignmentId, after: SubmissionId.optional() });
export type ListInput = z.output<typeof ListInput>;
