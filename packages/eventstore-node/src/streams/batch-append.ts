import { type ServerDuplexStream, type StatusObject, status } from "@grpc/grpc-js";
import type { Access } from "../access/access.ts";
import { WireWriter } from "../encoding/protobuf.ts";
import type { ExpectedRevision } from "../storage/append-rules.ts";
import type { AppendResult, EventLog } from "../storage/log.ts";
import type { ProposedEvent } from "../storage/write-batch.ts";
import { drained } from "../wire/drained.ts";
import { MAX_APPEND_SIZE, tooManyUnfinished, toStatus } from "../wire/rpc-errors.ts";
import {
  type AppendOptions,
  appendSize,
  type BatchAppendMessage,
  readBatchAppend,
} from "./append-requests.ts";

/** An append whose messages are still coming in. */
interface OpenAppend {
  readonly correlationId: Buffer;
  readonly options: AppendOptions;
  readonly events: ProposedEvent[];
  size: number;
  /** Set once it has been answered with an error; its other messages are read and dropped. */
  refused: boolean;
  /** Runs while more of its messages have to come. */
  alarm?: NodeJS.Timeout;
}

type Answer = (writer: WireWriter) => void;

/** A call may have so many appends open at a time, and so many bytes in them: until the last message they wait in memory. */
const UNFINISHED_LIMIT = 4096;
const UNFINISHED_LIMIT_BYTES = 32 * MAX_APPEND_SIZE;

/** Past so many appends of one call that wait to be written, the call is held back. */
const UNANSWERED_LIMIT = 4096;

/** What timers can count. */
const LONGEST_ALARM_MS = 2 ** 31 - 1;

const writer = new WireWriter();

/** Serves one batch append call: many appends, each answered once under its correlation id, in any order. */
export function handleBatchAppend(
  log: EventLog,
  access: Access,
  call: ServerDuplexStream<Buffer, Buffer>,
  now: () => number,
): void {
  const open = new Map<string, OpenAppend>();
  let unfinishedBytes = 0;
  let unanswered = 0;
  let ended = false;
  let callFailure: StatusObject | undefined;
  let isOver = false;
  let isHeldBack = false;
  let onAnswer: (() => void) | undefined;

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
      const before = append.size;
      const refusal = takeIn(append, message, isAllowed);
      unfinishedBytes += append.size - before;
      if (refusal !== undefined) refuse(append, refusal);
    }
    if (!message.isFinal) {
      if (open.size > UNFINISHED_LIMIT || unfinishedBytes > UNFINISHED_LIMIT_BYTES) throw tooManyUnfinished();
      expectMore(append);
      return;
    }
    open.delete(key);
    clearTimeout(append.alarm);
    if (append.refused) return;
    unfinishedBytes -= append.size;
    void write(append);
  };

  const isAllowed = (stream: string) => access.mayAccess(call.metadata, "write", stream);

  const refuse = (append: OpenAppend, refusal: Answer) => {
    append.refused = true;
    append.events.length = 0;
    unfinishedBytes -= append.size;
    clearTimeout(append.alarm);
    answer(append, refusal);
  };

  /** Sees to it that an append whose last message does not come is answered at its deadline. */
  const expectMore = (append: OpenAppend) => {
    const { deadline } = append.options;
    if (append.refused || append.alarm !== undefined || deadline === Infinity) return;
    const left = Math.min(Math.max(deadline - now(), 0), LONGEST_ALARM_MS);
    append.alarm = setTimeout(() => refuse(append, TIMEOUT), left);
  };

  const write = async (append: OpenAppend) => {
    unanswered++;
    try {
      const result = await log.append({ ...append.options, events: append.events });
      answer(append, resultAnswer(append.options, result));
    } catch (error) {
      const failure = toStatus(error);
      if (failure.code === status.UNAVAILABLE) callFailure ??= failure;
      else answer(append, failureAnswer(failure.code, failure.details));
    }
    unanswered--;
    onAnswer?.();
    settle();
  };

  /** Ends the call when its time has come: the answers of what was taken before go first. */
  const settle = () => {
    if (unanswered > 0 || isOver || !(ended || callFailure !== undefined)) return;
    isOver = true;
    if (callFailure === undefined) call.end();
    else call.emit("error", callFailure);
  };

  /** Takes in nothing while more would only pile up: in the log, or as answers that the client does not read. */
  const holdBack = async () => {
    if (isHeldBack) return;
    isHeldBack = true;
    for (let wait = obstacle(); wait !== undefined; wait = obstacle()) {
      call.pause();
      await wait;
    }
    isHeldBack = false;
    if (call.isPaused()) call.resume();
  };

  const obstacle = (): Promise<void> | undefined => {
    if (log.isFull) return log.room();
    if (unanswered >= UNANSWERED_LIMIT) return new Promise((resolve) => (onAnswer = resolve));
    if (call.writableNeedDrain && call.writable && !call.cancelled) return drained(call);
    return undefined;
  };

  call.on("data", (bytes: Buffer) => {
    if (callFailure !== undefined) return;
    try {
      receive(readBatchAppend(bytes));
    } catch (error) {
      callFailure = toStatus(error);
      settle();
      return;
    }
    void holdBack();
  });
  call.on("close", () => {
    for (const append of open.values()) clearTimeout(append.alarm);
    open.clear();
  });
  call.on("end", () => {
    ended = true;
    for (const append of open.values())
      if (!append.refused) refuse(append, badRequest("an append was not ended"));
    settle();
  });
}

const NO_OPTIONS: AppendOptions = { stream: "", expected: "any", deadline: Infinity };

function openAppend({ correlationId, options = NO_OPTIONS }: BatchAppendMessage): OpenAppend {
  return { correlationId, options, events: [], size: 0, refused: false };
}

/** Adds the events of one message to their append; gives the answer when that refuses it. */
function takeIn(
  append: OpenAppend,
  { events, options, problem }: BatchAppendMessage,
  isAllowed: (stream: string) => boolean,
): Answer | undefined {
  const reason = problem ?? (append.options === NO_OPTIONS ? "an append needs options" : undefined);
  if (reason !== undefined) return badRequest(reason);
  if (options !== undefined && !isAllowed(options.stream)) {
    return errorAnswer(status.PERMISSION_DENIED, "access denied", "AccessDenied", empty);
  }
  for (const event of events) {
    append.size += appendSize(event);
    append.events.push(event);
  }
  if (append.size <= MAX_APPEND_SIZE) return undefined;
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
      return TIMEOUT;
  }
}

/** A `google.rpc.Status` whose detail is the message `event_store.client.<name>`. */
function errorAnswer(code: status, text: string, name: string, detail: (writer: WireWriter) => void): Answer {
  return statusAnswer(code, text, `event_store.client.${name}`, detail);
}

/** An error of the node itself. The client shows `text` with every detail but its own, which take the place of it. */
function failureAnswer(code: status, text: string): Answer {
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

function badRequest(reason: string): Answer {
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

const TIMEOUT = errorAnswer(status.DEADLINE_EXCEEDED, "timeout", "Timeout", empty);
