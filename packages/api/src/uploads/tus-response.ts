import { CarillonError, type ErrorCode } from "@carillon/domain";
import { errorShape, retryAfter, typedError } from "../http/errors.ts";
import type { Received } from "./content-receiver.ts";
import { TusRefusal, tusVersion } from "./tus-request.ts";
import type { UploadProgress } from "./uploads.ts";

/** Where tus has a status of its own for a failure. */
const statuses: Partial<Record<ErrorCode, number>> = {
  submission_lapsed: 410,
  content_digest_mismatch: 460,
};
/** What tus's handlers refuse by themselves, by the status that they answer. */
const refusals: Readonly<Record<number, ErrorCode>> = {
  409: "upload_offset_mismatch",
  413: "content_too_large",
};

/** How far an upload is: until when it may go on, or the receipt of its content. */
export function headersOf(
  progress: UploadProgress | undefined,
  received: Received | undefined,
): Record<string, string> {
  if (!progress) return {};
  const { offset, bytes, uploadBy } = progress;
  return {
    "cache-control": "no-store",
    "upload-length": String(bytes),
    "upload-offset": String(received ? bytes : offset),
    ...(received
      ? {
          "submission-id": received.submissionId,
          "submission-receipt": received.receipt,
          "submission-position": received.position,
        }
      : { "upload-expires": new Date(uploadBy).toUTCString() }),
  };
}

/** What tus's handlers have refused, as an error of ours. */
export async function tusRefusal(
  answer: Response,
  progress: UploadProgress | undefined,
): Promise<CarillonError> {
  const said = (await answer.text()).trim().replace(/\.$/, "");
  const code = refusals[answer.status];
  if (code === "upload_offset_mismatch") {
    return new CarillonError(code, `${progress?.offset} bytes of the upload are stored: go on from there.`);
  }
  return new CarillonError(code ?? "malformed", `The upload is not right: ${said}.`);
}

/** A failure with tus's status. The body is tRPC's, as everywhere. */
export function tusError(thrown: unknown): Response {
  const error = typedError(thrown);
  const shape = errorShape(error);
  const status =
    thrown instanceof TusRefusal ? thrown.status : (statuses[error.code] ?? shape.data.httpStatus);
  return Response.json(
    { error: { ...shape, data: { ...shape.data, httpStatus: status } } },
    { status, headers: { ...retryAfter([error]), ...(status === 412 && { "tus-version": tusVersion }) } },
  );
}
