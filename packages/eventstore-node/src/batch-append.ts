import { type ServerDuplexStream, status } from "@grpc/grpc-js";
import {
  type AppendOptions,
  appendSize,
  type BatchAppendMessage,
  readBatchAppend,
} from "./append-requests.ts";
import type { ExpectedRevision } from "./append-rules.ts";
import type { AppendResult, EventLog } from "./log.ts";
import { WireWriter } from "./protobuf.ts";
import { MAX_APPEND_SIZE, toStatus } from "./rpc-errors.ts";
import type { ProposedEvent } from "./staging.ts";

/** An append whose messages are still coming in. */
interface OpenAppend {
  readonly correlationId: Buffer;
  readonly options: AppendOptions;
  readonly events: ProposedEvent[];
  size: number;
  /** Set once it has been answered with an error; its other messages are read and dropped. */
  refused: boolean;
}

type Answer = (writer: WireWriter) => void;

const writer = new WireWriter();

/** Serves one batch append call: many appends, each answered once under its correlation id, in any order. */
export function handleBatchAppend(log: EventLog, call: ServerDuplexStream<Buffer, Buffer>): void {
  const open = new Map<string, OpenAppend>();
  let unanswered = 0;
  let ended = false;

  const answer = (append: OpenAppend, result: Answer) => {
    if (call.writable && !call.cancelled) call.write(encodeAnswer(append, result));
  };

  const receive = (message: BatchAppendMessage) => {
    const key = message.correlationId.toString("latin1");
    let append = open.get(key);
    if (append === undefined) {
      append = openAppend(message);
      open.set(key, append);
    }
    if (!append.refused) {
      const refusal = takeIn(append, message);
      append.refused = refusal !== undefined;
      if (refusal !== undefined) answer(append, refusal);
    }
    if (!message.isFinal) return;
    open.delete(key);
    if (!append.refused) void write(append);
  };

  const write = async (append: OpenAppend) => {
    unanswered++;
    try {
      const result = await log.append({ ...append.options, events: append.events });
      answer(append, resultAnswer(append.options, result));
    } catch (error) {
      const failure = toStatus(error);
      if (failure.code === status.UNAVAILABLE) call.emit("error", failure);
      else answer(append, errorAnswer(failure.code, failure.details, "Unknown", empty));
    }
    unanswered--;
    if (ended && unanswered === 0) call.end();
  };

  call.on("data", (bytes: Buffer) => {
    try {
      receive(readBatchAppend(bytes));
    } catch (error) {
      call.emit("error", toStatus(error));
      return;
    }
    if (log.isFull) {
      call.pause();
      void log.room().then(() => call.resume());
    }
  });
  call.on("end", () => {
    ended = true;
    if (unanswered === 0) call.end();
  });
}

const NO_OPTIONS: AppendOptions = { stream: "", expected: "any", deadline: Infinity };

function openAppend({ correlationId, options = NO_OPTIONS }: BatchAppendMessage): OpenAppend {
  return { correlationId, options, events: [], size: 0, refused: false };
}

/** Adds the events of one message to their append; gives the answer when that refuses it. */
function takeIn(append: OpenAppend, { events, problem }: BatchAppendMessage): Answer | undefined {
  const reason = problem ?? (append.options === NO_OPTIONS ? "an append needs options" : undefined);
  if (reason !== undefined) {
    return errorAnswer(status.INVALID_ARGUMENT, reason, "BadRequest", (detail) => detail.string(1, reason));
  }
  for (const event of events) {
    append.size += appendSize(event);
    append.events.push(event);
  }
  if (append.size <= MAX_APPEND_SIZE) return undefined;
  append.events.length = 0;
  const text = "maximum append size exceeded";
  return errorAnswer(status.INVALID_ARGUMENT, text, "MaximumAppendSizeExceeded", (detail) =>
    detail.uint(1, MAX_APPEND_SIZE),
  );
}

function encodeAnswer({ correlationId, options }: OpenAppend, result: Answer): Buffer {
  writer.bytes(1, correlationId);
  result(writer);
  writer.message(4, (identifier) => identifier.string(3, options.stream));
  writeExpected(writer, options.expected, { revision: 5, noStream: 6, any: 7, streamExists: 8 });
  return writer.finish();
}

function resultAnswer({ stream, expected }: AppendOptions, result: AppendResult): Answer {
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
      return errorAnswer(status.DEADLINE_EXCEEDED, "timeout", "Timeout", empty);
  }
}

/** A `google.rpc.Status` whose detail is the message `event_store.client.<name>`. */
function errorAnswer(code: status, text: string, name: string, detail: (writer: WireWriter) => void): Answer {
  return (answer) => {
    answer.message(2, (error) => {
      error.uint(1, code).string(2, text);
      error.message(3, (any) => {
        any.string(1, `type.googleapis.com/event_store.client.${name}`);
        any.message(2, detail);
      });
    });
  };
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
