import { CarillonError, type ErrorClass, type ErrorCode, errorCatalogue, type Wait } from "@carillon/domain";
import { TRPCError } from "@trpc/server";
import { getHTTPStatusCodeFromError } from "@trpc/server/http";
import { type TRPC_ERROR_CODE_KEY, TRPC_ERROR_CODES_BY_KEY } from "@trpc/server/rpc";
import { ZodError } from "zod";

/** One thing that is wrong with an input: where (`file.name`; empty for the whole) and what. */
export interface InputIssue {
  readonly path: string;
  readonly message: string;
}

/** A failure as a client is told of it. */
export interface TypedError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly issues?: readonly InputIssue[];
  /** Where the same call will be taken later. */
  readonly wait?: Wait;
  /** Of what was handed in before, where that is why. */
  readonly receipt?: string;
}

const trpcCodes: Record<ErrorClass, TRPC_ERROR_CODE_KEY> = {
  invalid: "BAD_REQUEST",
  unauthenticated: "UNAUTHORIZED",
  forbidden: "FORBIDDEN",
  not_found: "NOT_FOUND",
  conflict: "CONFLICT",
  precondition: "PRECONDITION_FAILED",
  too_large: "PAYLOAD_TOO_LARGE",
  too_many: "TOO_MANY_REQUESTS",
  unavailable: "SERVICE_UNAVAILABLE",
  internal: "INTERNAL_SERVER_ERROR",
};

/** What tRPC itself finds wrong with a request, before a procedure has run. */
const protocolErrors: Partial<Record<TRPC_ERROR_CODE_KEY, ErrorCode>> = {
  PARSE_ERROR: "malformed",
  BAD_REQUEST: "malformed",
  METHOD_NOT_SUPPORTED: "malformed",
  UNSUPPORTED_MEDIA_TYPE: "malformed",
  NOT_FOUND: "procedure_unknown",
};

/** The one place that turns whatever was thrown into what a client is told. What we did not foresee is `internal`. */
export function typedError(thrown: unknown): TypedError {
  if (thrown instanceof CarillonError) {
    const { code, message, wait, receipt } = thrown;
    return { code, message, ...(wait && { wait }), ...(receipt && { receipt }) };
  }
  if (!(thrown instanceof TRPCError)) return unforeseen;
  if (thrown.code === "INTERNAL_SERVER_ERROR") return thrown.cause ? typedError(thrown.cause) : unforeseen;
  const code = protocolErrors[thrown.code];
  if (!code) return unforeseen;
  if (!(thrown.cause instanceof ZodError)) return { code, message: thrown.message };
  const issues = thrown.cause.issues.map(({ path, message }) => ({ path: path.join("."), message }));
  const where = issues.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join("; ");
  return {
    code: ownCode(thrown.cause) ?? code,
    message: `The input is not right: ${where}`,
    issues,
  };
}

/** The code that a schema names for what it refuses: `params: { errorCode }` of its refinement. */
function ownCode({ issues: [issue] }: ZodError): ErrorCode | undefined {
  const named: unknown = issue?.code === "custom" ? issue.params?.errorCode : undefined;
  return typeof named === "string" && named in errorCatalogue ? (named as ErrorCode) : undefined;
}

/** A failure as it stands in an answer, next to `data.errorCode` what tRPC's clients expect. Never a stack. */
export function errorShape(
  { code, message, issues, wait, receipt }: TypedError,
  path?: string,
  correlationId?: string,
) {
  const trpcCode = trpcCodes[errorCatalogue[code]];
  return {
    message,
    code: TRPC_ERROR_CODES_BY_KEY[trpcCode],
    data: {
      code: trpcCode,
      httpStatus: getHTTPStatusCodeFromError(new TRPCError({ code: trpcCode })),
      errorCode: code,
      ...(path !== undefined && { path }),
      ...(correlationId !== undefined && { correlationId }),
      ...(issues !== undefined && { issues }),
      ...(wait !== undefined && { retryAfterMs: wait.retryAfterMs, place: wait.place }),
      ...(receipt !== undefined && { receipt }),
    },
  };
}

/** An answer in tRPC's form for a request that no procedure sees. */
export function errorResponse(error: TypedError): Response {
  const shape = errorShape(error);
  return Response.json({ error: shape }, { status: shape.data.httpStatus, headers: retryAfter([error]) });
}

/** `Retry-After`, in whole seconds, where one of the errors says when to try again: the last of these times. */
export function retryAfter(errors: readonly TypedError[]): { "retry-after"?: string } {
  const waits = errors.flatMap(({ wait }) => (wait ? [wait.retryAfterMs] : []));
  if (waits.length === 0) return {};
  return { "retry-after": String(Math.ceil(Math.max(...waits) / 1000)) };
}

const unforeseen: TypedError = {
  code: "internal",
  message: "Something went wrong on our side: try again, and name the correlation id if you report it.",
};
