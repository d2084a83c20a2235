/** The answers of batch append calls: `BatchAppendResp` of EventStoreDB's `streams.proto`, written field by field. */
import { status } from "@grpc/grpc-js";
import { WireWriter } from "../encoding/protobuf.ts";
import type { ExpectedRevision } from "../storage/append-rules.ts";
import type { AppendResult } from "../storage/log.ts";
import { MAX_APPEND_SIZE } from "../wire/rpc-errors.ts";
import type { AppendOptions } from "./append-requests.ts";

/** Writes the result of one append into its answer. */
export type Answer = (writer: WireWriter) => void;

const writer = new WireWriter();

/** The whole answer to the append with this correlation id, which is the id's message as it came. */
export function encodeAnswer(correlationId: Buffer, options: AppendOptions, result: Answer): Buffer {
  writer.bytes(1, correlationId);
  result(writer);
  writer.message(4, (identifier) => identifier.string(3, options.stream));
  writeExpected(writer, options.expected, { revision: 5, noStream: 6, any: 7, streamExists: 8 });
  return writer.finish();
}

/** What became of an append that the log has decided. */
export function resultAnswer({ stream, expected }: AppendOptions, result: AppendResult): Answer {
  switch (result.kind) {
    case "written":
      return (answer) => {
        answer.message(3, (success) => {
          if (result.last < 0) success.message(2, empty);
          else success.uint(1, result.last);
          const { slot } = result;
          if (slot === undefined) success.message(4, empty);
          else success.message(3, (position) => position.uint(1, slot.position).uint(2, slot.position));
        });
      };
    case "wrong-version":
      return errorAnswer(
        status.FAILED_PRECONDITION,
        "wrong expected version",
        "WrongExpectedVersion",
        (detail) => {
          if (result.current < 0) detail.message(2, empty);
          else detail.uint(1, result.current);
          writeExpected(detail, expected, { revision: 3, noStream: 6, any: 4, streamExists: 5 });
        },
      );
    case "deleted":
      return errorAnswer(status.FAILED_PRECONDITION, "stream deleted", "StreamDeleted", (detail) =>
        detail.message(1, (identifier) => identifier.string(3, stream)),
      );
    case "too-late":
      return TIMEOUT;
  }
}

/** A `google.rpc.Status` whose detail is the message `event_store.client.<name>`. */
function errorAnswer(code: status, text: string, name: string, detail: (writer: WireWriter) => void): Answer {
  return statusAnswer(code, text, `event_store.client.${name}`, detail);
}

/** An error of the node itself. The client shows `text` with every detail but its own, which take the place of it. */
export function failureAnswer(code: status, text: string): Answer {
  return statusAnswer(code, text, "google.rpc.DebugInfo", (detail) => detail.string(2, text));
}

function statusAnswer(
  code: status,
  text: string,
  type: string,
  detail: (writer: WireWriter) => void,
): Answer {
  return (answer) => {
    answer.message(2, (error) => {
      error.uint(1, code).string(2, text);
      error.message(3, (any) => {
        any.string(1, `type.googleapis.com/${type}`);
        any.message(2, detail);
      });
    });
  };
}

/** The request cannot be understood. */
export function badRequestAnswer(reason: string): Answer {
  return errorAnswer(status.INVALID_ARGUMENT, reason, "BadRequest", (detail) => detail.string(1, reason));
}

function writeExpected(
  message: WireWriter,
  expected: ExpectedRevision,
  fields: { revision: number; noStream: number; any: number; streamExists: number },
): void {
  if (typeof expected === "number") message.uint(fields.revision, expected);
  else if (expected === "no_stream") message.message(fields.noStream, empty);
  else message.message(expected === "any" ? fields.any : fields.streamExists, empty);
}

function empty(): void {}

/** The append's deadline passed before it could be written. */
export const TIMEOUT = errorAnswer(status.DEADLINE_EXCEEDED, "timeout", "Timeout", empty);

/** The caller may not write to the stream. */
export const ACCESS_DENIED = errorAnswer(status.PERMISSION_DENIED, "access denied", "AccessDenied", empty);

/** The events of the append are too large together. */
export const TOO_LARGE = errorAnswer(
  status.INVALID_ARGUMENT,
  "maximum append size exceeded",
  "MaximumAppendSizeExceeded",
  (detail) => detail.uint(1, MAX_APPEND_SIZE),
);
