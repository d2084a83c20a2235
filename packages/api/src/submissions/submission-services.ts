import {
  type AssignmentId,
  type SubmissionId,
  streamName,
  submissionIdOf,
  type TenantId,
  type UserId,
} from "@carillon/domain";
import { type SingleFlight, singleFlight } from "@carillon/platform";
import type { ApiServices } from "../api-services.ts";
import { type HandInFacts, openHandInFacts } from "./hand-in-facts.ts";

/** What `submit` answers. */
export interface Submitted {
  submissionId: SubmissionId;
  receipt: string;
  position: string;
}

/** What the commands and queries of submissions work with. */
export interface SubmissionServices
  extends Pick<ApiServices, "eventLog" | "database" | "objects" | "receiptKeys" | "uploadAddresses"> {
  readonly handInFacts: HandInFacts;
  /** Also for what is under way: a client that asks again because the answer is late must not make a crowd twice as large. */
  readonly submitOnce: SingleFlight<Submitted>;
}

/** A call that takes longer may hang at a server that died: a client that asks again then does not wait for it. */
const joinMs = 5_000;
/** A few MiB; the same key with the same content is answered the same for ever. */
const maxAnswers = 10_000;

export const submissionServices = (services: ApiServices): SubmissionServices => ({
  ...services,
  handInFacts: openHandInFacts(services),
  submitOnce: singleFlight<Submitted>({ max: maxAnswers, joinMs }),
});

/** Which submission a student's key for an assignment is, and its stream. */
export function submissionOf(tenantId: TenantId, assignmentId: AssignmentId, studentId: UserId, key: string) {
  const submissionId = submissionIdOf(tenantId, assignmentId, studentId, key);
  return { submissionId, stream: streamName("submission", tenantId, submissionId) };
}
