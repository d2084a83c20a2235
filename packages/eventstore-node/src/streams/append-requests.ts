/** Append requests, read from the wire in place: an event's bytes are not copied before they are stored. */

import { WireReader } from "../encoding/protobuf.ts";
import type { ExpectedRevision } from "../storage/append-rules.ts";
import { readMapEntry } from "../storage/record.ts";
import type { ProposedEvent } from "../storage/write-batch.ts";

/** The stream to append to and what it is expected to be. */
export interface AppendOptions {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  /** Milliseconds since 1970; Infinity when the request names none. */
  readonly deadline: number;
}

/** One message of a batch append call; messages with the same correlation id make up one append. */
export interface BatchAppendMessage {
  /** The id's message as it came, to be sent back. */
  readonly correlationId: Buffer;
  readonly options: AppendOptions | undefined;
  readonly events: readonly ProposedEvent[];
  readonly isFinal: boolean;
  /** What is wrong with its options or events, so that this one append is refused and others go on. */
  readonly problem: string | undefined;
}

/** One message of a unary append call: options first, then one event each. */
export interface UnaryAppendMessage {
  readonly options: AppendOptions | undefined;
  readonly event: ProposedEvent | undefined;
}

/** The longest stream name that the index can hold, in UTF-8 bytes. */
const MAX_STREAM_NAME = 1024;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/** Reads a `BatchAppendReq`. @throws RangeError when it cannot even be told which append it is part of. */
export function readBatchAppend(bytes: Buffer): BatchAppendMessage {
  const request = new WireReader(bytes);
  const events: ProposedEvent[] = [];
  let correlationId: Buffer | undefined;
  let options: AppendOptions | undefined;
  let isFinal = false;
  let problem: string | undefined;
  for (let field = request.next(); field !== 0; field = request.next()) {
    if (field === 1) correlationId = request.bytes();
    else if (field === 4) isFinal = request.uint() !== 0;
    else if (field === 2 || field === 3) {
      const part = request.message();
      try {
        if (field === 2) options = readOptions(part);
        else events.push(readEvent(part));
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        problem = error.message;
      }
    } else request.skip();
  }
  if (correlationId === undefined) throw new RangeError("a batch append message has no correlation id");
  return { correlationId, options, events, isFinal, problem };
}

/** Reads an `AppendReq`. @throws RangeError when it is malformed. */
export function readUnaryAppend(bytes: Buffer): UnaryAppendMessage {
  const request = new WireReader(bytes);
  let options: AppendOptions | undefined;
  let event: ProposedEvent | undefined;
  for (let field = request.next(); field !== 0; field = request.next()) {
    if (field === 1) options = readOptions(request.message());
    else if (field === 2) event = readEvent(request.message());
    else request.skip();
  }
  return { options, event };
}

/** The bytes of an event that count against the maximum append size. */
export function appendSize(event: ProposedEvent): number {
  return event.data.length + event.metadata.length + event.type.length * 2;
}

/** Checks the name of a stream. @throws RangeError when it cannot be one. */
export function checkStreamName(name: string): string {
  if (name === "") throw new RangeError("a stream needs a name");
  if (Buffer.byteLength(name) > MAX_STREAM_NAME) {
    throw new RangeError(`a stream name takes at most ${MAX_STREAM_NAME} bytes`);
  }
  return name;
}

/** `AppendReq.Options` and `BatchAppendReq.Options` have the same numbers; only the second has a deadline. */
function readOptions(options: WireReader): AppendOptions {
  let stream = "";
  let expected: ExpectedRevision | undefined;
  let deadline = Infinity;
  for (let field = options.next(); field !== 0; field = options.next()) {
    if (field === 1) stream = readStreamName(options.message());
    else if (field === 2) expected = options.uint();
    else if (field === 6) deadline = readTimestamp(options.message());
    else {
      if (field === 3) expected = "no_stream";
      else if (field === 4) expected = "any";
      else if (field === 5) expected = "stream_exists";
      options.skip();
    }
  }
  if (expected === undefined) throw new RangeError("an append needs an expected revision");
  return { stream: checkStreamName(stream), expected, deadline };
}

function readStreamName(identifier: WireReader): string {
  let name = "";
  for (let field = identifier.next(); field !== 0; field = identifier.next()) {
    if (field === 3) name = identifier.string();
    else identifier.skip();
  }
  return name;
}

function readTimestamp(timestamp: WireReader): number {
  let milliseconds = 0;
  for (let field = timestamp.next(); field !== 0; field = timestamp.next()) {
    if (field === 1) milliseconds += timestamp.uint() * 1000;
    else if (field === 2) milliseconds += timestamp.uint() / 1e6;
    else timestamp.skip();
  }
  return milliseconds;
}

function readEvent(message: WireReader): ProposedEvent {
  let id = "";
  let type: string | undefined;
  let contentType: string | undefined;
  let metadata: Uint8Array = NO_BYTES;
  let data: Uint8Array = NO_BYTES;
  for (let field = message.next(); field !== 0; field = message.next()) {
    if (field === 1) id = readUuid(message.message());
    else if (field === 2) {
      const { key, value } = readMapEntry(message.message());
      if (key === "type") type = value;
      else if (key === "content-type") contentType = value;
    } else if (field === 3) metadata = message.bytes();
    else if (field === 4) data = message.bytes();
    else message.skip();
  }
  if (!UUID.test(id)) throw new RangeError(`an event id must be a UUID: ${JSON.stringify(id)}`);
  if (!type || !contentType) throw new RangeError("an event needs the metadata 'type' and 'content-type'");
  return { id, type, isJson: contentType === "application/json", metadata, data };
}

const NO_BYTES = new Uint8Array();

function readUuid(uuid: WireReader): string {
  for (let field = uuid.next(); field !== 0; field = uuid.next()) {
    if (field === 2) return uuid.string().toLowerCase();
    if (field === 1) return readStructuredUuid(uuid.message());
    uuid.skip();
  }
  return "";
}

function readStructuredUuid(structured: WireReader): string {
  const halves = Buffer.alloc(16);
  for (let field = structured.next(); field !== 0; field = structured.next()) {
    if (field === 1 || field === 2) halves.writeBigInt64BE(structured.int64(), field === 1 ? 0 : 8);
    else structured.skip();
  }
  return halves.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
