/** What kind of failure a code is: decides the status that a client sees. */
export type ErrorClass =
  | "invalid"
  | "unauthenticated"
  | "forbidden"
  | "not_found"
  | "conflict"
  | "precondition"
  | "too_large"
  | "too_many"
  | "unavailable"
  | "internal";

/** Every code that a client can meet. Codes are stable: they are added, never renamed. */
export const errorCatalogue = {
  malformed: "invalid",
  tenant_unknown: "not_found",
  tenant_slug_taken: "conflict",
  user_unknown: "not_found",
  username_taken: "conflict",
  class_unknown: "not_found",
  class_code_taken: "conflict",
  not_a_member: "forbidden",
  assignment_unknown: "not_found",
  assignment_code_taken: "conflict",
  assignment_closed: "precondition",
  due_in_past: "invalid",
  submission_unknown: "not_found",
  submission_key_taken: "conflict",
  submission_lapsed: "precondition",
  upload_unknown: "not_found",
  upload_offset_mismatch: "conflict",
  content_missing: "invalid",
  content_too_large: "too_large",
  content_digest_mismatch: "invalid",
  login_refused: "unauthenticated",
  login_locked: "too_many",
  password_weak: "invalid",
  password_hash_unsupported: "invalid",
  key_id_taken: "conflict",
  token_missing: "unauthenticated",
  token_invalid: "unauthenticated",
  token_expired: "unauthenticated",
  session_ended: "unauthenticated",
  forbidden: "forbidden",
  procedure_unknown: "not_found",
  write_contended: "conflict",
  busy: "too_many",
  unavailable: "unavailable",
  internal: "internal",
} as const satisfies Record<string, ErrorClass>;

export type ErrorCode = keyof typeof errorCatalogue;

/** When it is worth trying again, and how many are before the client; null where there is no queue. */
export interface Wait {
  readonly retryAfterMs: number;
  readonly place: number | null;
}

/** The one error that Carillon throws on purpose: a stable code and a message that says what to do. */
export class CarillonError extends Error {
  readonly code: ErrorCode;
  /** Where the same call will be taken later. */
  readonly wait: Wait | undefined;
  /** Of what was handed in before, where that is why. */
  readonly receipt: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    { wait, receipt, ...options }: ErrorOptions & { wait?: Wait; receipt?: string } = {},
  ) {
    super(message, options);
    this.name = "CarillonError";
    this.code = code;
    this.wait = wait;
    this.receipt = receipt;
  }
}
