import streams from "@eventstore/db-client/generated/streams_pb.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type EventRecord,
  encodeRecord,
  openRecord,
  recordData,
  recordHeader,
  recordId,
  recordRevision,
  TOMBSTONE_REVISION,
} from "./record.ts";

const anyRecord = fc.record({
  id: fc.uuid(),
  stream: fc.string({ minLength: 1, maxLength: 300, unit: "grapheme" }),
  revision: fc.oneof(fc.nat(), fc.maxSafeNat()),
  position: fc.oneof(fc.nat(), fc.maxSafeNat()),
  type: fc.string({ minLength: 1, maxLength: 300, unit: "grapheme" }),
  isJson: fc.boolean(),
  createdAt: fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2200, 0) }),
  metadata: fc.uint8Array({ maxLength: 300 }),
  data: fc.uint8Array({ maxLength: 70_000 }),
});

/** The message of a record that went through the store. */
function messageOf(record: EventRecord): Buffer {
  return openRecord(encodeRecord(record)) ?? Buffer.of();
}

test("a record is the message that clients decode", () => {
  fc.assert(
    fc.property(anyRecord, (record) => {
      const event = streams.ReadResp.deserializeBinary(messageOf(record)).getEvent();
      const recorded = event?.getEvent();
      expect(event?.getCommitPosition()).toBe(String(record.position));
      expect(recorded?.getId()?.getString()).toBe(record.id);
      expect(Buffer.from(recorded?.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString()).toBe(
        Buffer.from(record.stream).toString(),
      );
      expect(recorded?.getStreamRevision()).toBe(String(record.revision));
      expect(recorded?.getPreparePosition()).toBe(String(record.position));
      expect(recorded?.getCommitPosition()).toBe(String(record.position));
      expect(Object.fromEntries(recorded?.getMetadataMap().getEntryList() ?? [])).toEqual({
        type: Buffer.from(record.type).toString(),
        "content-type": record.isJson ? "application/json" : "application/octet-stream",
        created: `${record.createdAt}0000`,
      });
      expect(Buffer.compare(recorded?.getCustomMetadata_asU8() ?? Buffer.of(), record.metadata)).toBe(0);
      expect(Buffer.compare(recorded?.getData_asU8() ?? Buffer.of(), record.data)).toBe(0);
    }),
  );
});

test("a stored record gives back what filters, retention and retries look at", () => {
  fc.assert(
    fc.property(anyRecord, (record) => {
      const stored = messageOf(record);
      expect(recordId(stored)).toBe(record.id);
      expect(recordRevision(stored)).toBe(record.revision);
      expect(recordHeader(stored)).toEqual({
        stream: Buffer.from(record.stream).toString(),
        type: Buffer.from(record.type).toString(),
        createdAt: record.createdAt,
      });
      expect(Buffer.compare(recordData(stored), record.data)).toBe(0);
    }),
  );
});

test("a record is not given back once a bit of it has changed", () => {
  fc.assert(
    fc.property(anyRecord, fc.nat(), fc.nat(7), (record, at, bit) => {
      const stored = encodeRecord(record);
      stored[at % stored.length] = (stored[at % stored.length] ?? 0) ^ (1 << bit);
      expect(openRecord(stored)).toBe(undefined);
    }),
  );
});

test("a tombstone has the real server's revision", () => {
  const record = {
    id: "0".repeat(36),
    stream: "s",
    revision: TOMBSTONE_REVISION,
    position: 1,
    type: "$streamDeleted",
  };
  const stored = messageOf({
    ...record,
    isJson: false,
    createdAt: 0,
    metadata: Buffer.of(),
    data: Buffer.of(),
  });
  const recorded = streams.ReadResp.deserializeBinary(stored).getEvent()?.getEvent();
  expect(recorded?.getStreamRevision()).toBe("9223372036854775807");
});
