/** The errors of the protocol, as status and trailers that clients decode into their own classes. */
import { Metadata, type StatusObject, status } from "@grpc/grpc-js";
import type { ExpectedRevision } from "../storage/append-rules.ts";
import { Damaged, Stopping } from "../storage/errors.ts";

/** Events of one append may take this many bytes together. */
export const MAX_APPEND_SIZE = 1024 * 1024;

/** The stream was ended by a tombstone. */
export function streamDeleted(stream: string): StatusObject {
  return rpcError(status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, {
    exception: "stream-deleted",
    "stream-name": stream,
  });
}

/** The stream is not at the revision that the writer expected; `current` is -1 when it has no events. */
export function wrongExpectedVersion(
  stream: string,
  expected: ExpectedRevision,
  current: number,
): StatusObject {
  const expectedVersion = expectedVersionNumber(expected);
  return rpcError(
    status.FAILED_PRECONDITION,
    `Wrong expected version. Stream: ${stream}, expected version: ${expectedVersion}, actual version: ${current}`,
    {
      exception: "wrong-expected-version",
      "stream-name": stream,
      "expected-version": String(expectedVersion),
      "actual-version": current < 0 ? "" : String(current),
    },
  );
}

/** The events of one append are too large together. */
export function maxAppendSizeExceeded(): StatusObject {
  return rpcError(status.INVALID_ARGUMENT, `Maximum Append Size of ${MAX_APPEND_SIZE} Exceeded.`, {
    exception: "maximum-append-size-exceeded",
    "maximum-append-size": String(MAX_APPEND_SIZE),
  });
}

/** A call holds more appends without their last message than the node keeps in memory. */
export function tooManyUnfinished(): StatusObject {
  return rpcError(status.RESOURCE_EXHAUSTED, "too many appends of this call wait for their last message", {});
}

/** The request cannot be understood. */
export function badRequest(reason: string): StatusObject {
  return rpcError(status.INVALID_ARGUMENT, reason, {});
}

/** The request asks for a part of the protocol that this node does not have. */
export function unimplemented(what: string): StatusObject {
  return rpcError(status.UNIMPLEMENTED, `${what} is not supported by this node`, {});
}

/** The caller is known, or came without a name, and may not do this. */
export function accessDenied(): StatusObject {
  return rpcError(status.PERMISSION_DENIED, "Access Denied", { exception: "access-denied" });
}

/** The name and password that came with the call are no user's. */
export function unauthenticated(): StatusObject {
  return rpcError(status.UNAUTHENTICATED, "the user name or the password is wrong", {});
}

/** There is no projection of that name. */
export function projectionNotFound(name: string): StatusObject {
  return rpcError(status.NOT_FOUND, `there is no projection ${JSON.stringify(name)}`, {});
}

/** The node is going away; clients connect again on this. */
export function stopping(): StatusObject {
  return rpcError(status.UNAVAILABLE, "the node is stopping", {});
}

/** Time ran out before the request was done; nothing was written. */
export function deadlineExceeded(): StatusObject {
  return rpcError(status.DEADLINE_EXCEEDED, "the deadline passed before the request was handled", {});
}

/** Turns anything that went wrong into the status to answer. */
export function toStatus(error: unknown): StatusObject {
  if (isStatus(error)) return error;
  if (error instanceof Damaged) return rpcError(status.DATA_LOSS, error.message, {});
  if (error instanceof Stopping) return stopping();
  if (error instanceof RangeError) return badRequest(error.message);
  return rpcError(status.INTERNAL, error instanceof Error ? error.message : String(error), {});
}

/** An error as the protocol carries it: `trailers` tell clients which of their classes it is. */
export function rpcError(code: status, details: string, trailers: Record<string, string>): StatusObject {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(trailers)) metadata.set(key, headerSafe(value));
  return { code, details, metadata };
}

function isStatus(error: unknown): error is StatusObject {
  return typeof error === "object" && error !== null && "code" in error && "metadata" in error;
}

/** HTTP/2 header values are ASCII; other characters travel percent-encoded. */
function headerSafe(value: string): string {
  return value.replace(/[^\x20-\x7e]+/gu, encodeURIComponent);
}

/** The real server's numbers for the modes that are no revision. */
function expectedVersionNumber(expected: ExpectedRevision): number {
  if (expected === "any") return -2;
  if (expected === "stream_exists") return -4;
  return expected === "no_stream" ? -1 : expected;
}
