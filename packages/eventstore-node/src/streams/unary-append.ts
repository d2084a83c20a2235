import shared from "@eventstore/db-client/generated/shared_pb.js";
import streams from "@eventstore/db-client/generated/streams_pb.js";
import type { ServerReadableStream, sendUnaryData } from "@grpc/grpc-js";
import { type Access, demand } from "../access/access.ts";
import type { ExpectedRevision } from "../storage/append-rules.ts";
import type { AppendResult, EventLog } from "../storage/log.ts";
import type { ProposedEvent } from "../storage/write-batch.ts";
import {
  badRequest,
  deadlineExceeded,
  MAX_APPEND_SIZE,
  maxAppendSizeExceeded,
  streamDeleted,
  toStatus,
} from "../wire/rpc-errors.ts";
import { type AppendOptions, appendSize, readUnaryAppend } from "./append-requests.ts";

/** Serves one unary append: the options, then the events one by one, then one answer. */
export async function handleUnaryAppend(
  log: EventLog,
  access: Access,
  call: ServerReadableStream<Buffer, streams.AppendResp>,
  answer: sendUnaryData<streams.AppendResp>,
): Promise<void> {
  try {
    const { options, events } = await readAll(call);
    demand(access.mayAccess(call.metadata, "write", options.stream));
    const result = await log.append({ ...options, events });
    answer(null, encodeResult(options, result));
  } catch (error) {
    answer(toStatus(error));
  }
}

async function readAll(
  call: AsyncIterable<Buffer>,
): Promise<{ options: AppendOptions; events: ProposedEvent[] }> {
  const events: ProposedEvent[] = [];
  let options: AppendOptions | undefined;
  let size = 0;
  for await (const bytes of call) {
    const message = readUnaryAppend(bytes);
    options ??= message.options;
    if (message.event === undefined) continue;
    events.push(message.event);
    size += appendSize(message.event);
    if (size > MAX_APPEND_SIZE) throw maxAppendSizeExceeded();
  }
  if (options === undefined) throw badRequest("an append needs options");
  return { options, events };
}

function encodeResult({ stream, expected }: AppendOptions, result: AppendResult): streams.AppendResp {
  switch (result.kind) {
    case "written":
      return new streams.AppendResp().setSuccess(success(result));
    case "wrong-version":
      return new streams.AppendResp().setWrongExpectedVersion(wrongVersion(expected, result.current));
    case "deleted":
      throw streamDeleted(stream);
    case "too-late":
      throw deadlineExceeded();
  }
}

function success({ slot, last }: Extract<AppendResult, { kind: "written" }>): streams.AppendResp.Success {
  const message = new streams.AppendResp.Success();
  if (last < 0) message.setNoStream(new shared.Empty());
  else message.setCurrentRevision(String(last));
  if (slot === undefined) return message.setNoPosition(new shared.Empty());
  const position = String(slot.position);
  return message.setPosition(
    new streams.AppendResp.Position().setCommitPosition(position).setPreparePosition(position),
  );
}

function wrongVersion(expected: ExpectedRevision, current: number): streams.AppendResp.WrongExpectedVersion {
  const message = new streams.AppendResp.WrongExpectedVersion();
  if (current < 0) message.setCurrentNoStream(new shared.Empty());
  else message.setCurrentRevision(String(current));
  if (expected === "any") return message.setExpectedAny(new shared.Empty());
  if (expected === "stream_exists") return message.setExpectedStreamExists(new shared.Empty());
  if (expected === "no_stream") return message.setExpectedNoStream(new shared.Empty());
  return message.setExpectedRevision(String(expected));
}
