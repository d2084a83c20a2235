import { createHash } from "node:crypto";
import type { AssignmentId, TenantId, UserId } from "@carillon/domain";

/** What a student hands in, under the client's own key. */
export interface HandIn {
  readonly tenantId: TenantId;
  readonly studentId: UserId;
  readonly assignmentId: AssignmentId;
  readonly key: string;
  readonly content: Buffer;
}

/** Which one it is: however often it is sent, it may be there once. */
export const nameOf = ({
  assignmentId,
  studentId,
  key,
}: Pick<HandIn, "assignmentId" | "studentId" | "key">): string => `${assignmentId}/${studentId}/${key}`;

export const digestOf = (content: Uint8Array): string => createHash("sha256").update(content).digest("hex");
