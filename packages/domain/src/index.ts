export * from "./columns.ts";
export * from "./decider.ts";
export * from "./errors.ts";
export * from "./event-type.ts";
export * from "./events.ts";
export * from "./ids.ts";
export * from "./limits.ts";
export * from "./login/credentials-view.ts";
export * from "./login/next-refresh.ts";
export * from "./login/refresh.ts";
export * from "./login/session.ts";
export * from "./permissions.ts";
export * from "./receipts/keyring.ts";
export * from "./reports/class-progress-view.ts";
export * from "./school/answer-key.ts";
export * from "./school/assignment.ts";
export * from "./school/bells.ts";
export * from "./school/class.ts";
export * from "./school/directory-view.ts";
export * from "./school/membership.ts";
export * from "./school/person.ts";
export * from "./school/tenant.ts";
export { isLate } from "./submissions/lateness.ts";
export * from "./submissions/submission.ts";
export {
  Content,
  Score,
  type SubmissionEvent,
  SubmissionKey,
  submissionEvents,
} from "./submissions/submission-events.ts";
export * from "./submissions/submission-view.ts";
export * from "./time.ts";
export * from "./views.ts";
