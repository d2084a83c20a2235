import { expect, test } from "vitest";
import { WireWriter } from "../encoding/protobuf.ts";
import { appendSize, readBatchAppend, readUnaryAppend } from "./append-requests.ts";

const ID = "0190a6e2-7b1c-7def-8abc-0123456789ab";

function unaryEvent(write: (event: WireWriter) => void): Buffer {
  return new WireWriter().message(2, write).finish();
}

function withMetadata(event: WireWriter): WireWriter {
  event.message(2, (entry) => entry.string(1, "type").string(2, "T"));
  return event.message(2, (entry) => entry.string(1, "content-type").string(2, "application/json"));
}

test("an event id is read in its text form, in any case", () => {
  const bytes = unaryEvent((event) =>
    withMetadata(event).message(1, (uuid) => uuid.string(2, ID.toUpperCase())),
  );
  expect(readUnaryAppend(bytes).event?.id).toBe(ID);
});

test("an event id is read in its structured form", () => {
  // Field 1: message { 1: most significant bits, 2: least significant bits }, as signed 64-bit varints.
  const halves = Buffer.from("08effbf1d8a7dca9c80110ab939eabb4a480de8a01", "hex");
  const bytes = unaryEvent((event) => withMetadata(event).message(1, (uuid) => uuid.bytes(1, halves)));
  expect(readUnaryAppend(bytes).event?.id).toBe(ID);
});

test("an event needs a type and a content type", () => {
  const bytes = unaryEvent((event) => event.message(1, (uuid) => uuid.string(2, ID)));
  expect(() => readUnaryAppend(bytes)).toThrow("an event needs the metadata 'type' and 'content-type'");
});

test("a message that is cut off is refused", () => {
  const bytes = unaryEvent((event) => withMetadata(event).message(1, (uuid) => uuid.string(2, ID)));
  for (let length = 1; length < bytes.length; length++) {
    expect(() => readUnaryAppend(bytes.subarray(0, length))).toThrow(RangeError);
  }
});

test("a problem with one part of a batch message is told with the id of its append", () => {
  const bytes = new WireWriter()
    .message(1, (uuid) => uuid.string(2, ID))
    .message(2, (options) => options.message(1, (identifier) => identifier.string(3, "s")))
    .uint(4, 1)
    .finish();
  expect(readBatchAppend(bytes)).toMatchObject({
    isFinal: true,
    problem: "an append needs an expected revision",
  });
});

test("data, metadata and type count against the size of an append", () => {
  const event = {
    id: ID,
    type: "abc",
    isJson: true,
    metadata: new Uint8Array(10),
    data: new Uint8Array(100),
  };
  expect(appendSize(event)).toBe(116);
});
