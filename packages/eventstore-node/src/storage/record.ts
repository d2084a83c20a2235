/**
 * An event as it is stored: the very `ReadResp` message that a reader gets, so that a read copies bytes, and after it
 * its checksum. Field numbers are those of EventStoreDB's `streams.proto` and `shared.proto`.
 */
import { crc32 } from "node:zlib";
import { varintSize, WireReader, writeVarint } from "../encoding/protobuf.ts";

/** The revision that a tombstone takes in its stream: the largest signed 64-bit integer, as on the real server. */
export const TOMBSTONE_REVISION = 2n ** 63n - 1n;

/** One event with its position in the log. */
export interface EventRecord {
  /** 36 characters, lower case. */
  readonly id: string;
  readonly stream: string;
  readonly revision: number | bigint;
  /** Its position among all events; both the commit and the prepare position. */
  readonly position: number;
  readonly type: string;
  readonly isJson: boolean;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly metadata: Uint8Array;
  readonly data: Uint8Array;
}

const ID_SIZE = 36;
const CHECKSUM_SIZE = 4;
const JSON_CONTENT = mapEntry("content-type", "application/json");
const BINARY_CONTENT = mapEntry("content-type", "application/octet-stream");

/** Encodes `record` as it is stored: the `ReadResp` that carries it, then that message's CRC-32. */
export function encodeRecord(record: EventRecord): Buffer {
  const streamSize = Buffer.byteLength(record.stream);
  const identifierSize = 1 + varintSize(streamSize) + streamSize;
  const typeSize = Buffer.byteLength(record.type);
  const typeEntrySize = 6 + 1 + varintSize(typeSize) + typeSize;
  const contentType = record.isJson ? JSON_CONTENT : BINARY_CONTENT;
  const created = mapEntry("created", `${record.createdAt}0000`);
  const positionSize = varintSize(record.position);
  const recordedSize =
    4 +
    ID_SIZE +
    (1 + varintSize(identifierSize) + identifierSize) +
    (1 + varintSize(record.revision)) +
    (1 + positionSize) * 2 +
    (1 + varintSize(typeEntrySize) + typeEntrySize) +
    contentType.length +
    created.length +
    bytesFieldSize(record.metadata) +
    bytesFieldSize(record.data);
  const eventSize = 1 + varintSize(recordedSize) + recordedSize + 1 + positionSize;

  const size = 1 + varintSize(eventSize) + eventSize;
  const out = Buffer.allocUnsafe(size + CHECKSUM_SIZE);
  let at = 0;
  out[at++] = 0x0a; // ReadResp.event
  at = writeVarint(out, eventSize, at);
  out[at++] = 0x0a; // ReadEvent.event
  at = writeVarint(out, recordedSize, at);
  out[at++] = 0x0a; // RecordedEvent.id
  out[at++] = ID_SIZE + 2;
  out[at++] = 0x12; // UUID.string
  out[at++] = ID_SIZE;
  at += out.write(record.id, at, ID_SIZE, "latin1");
  out[at++] = 0x12; // RecordedEvent.stream_identifier
  at = writeVarint(out, identifierSize, at);
  out[at++] = 0x1a; // StreamIdentifier.stream_name
  at = writeVarint(out, streamSize, at);
  at += out.write(record.stream, at, streamSize, "utf8");
  out[at++] = 0x18; // RecordedEvent.stream_revision
  at = writeVarint(out, record.revision, at);
  out[at++] = 0x20; // RecordedEvent.prepare_position
  at = writeVarint(out, record.position, at);
  out[at++] = 0x28; // RecordedEvent.commit_position
  at = writeVarint(out, record.position, at);
  out[at++] = 0x32; // RecordedEvent.metadata
  at = writeVarint(out, typeEntrySize, at);
  at += out.write("\x0a\x04type\x12", at, 7, "latin1");
  at = writeVarint(out, typeSize, at);
  at += out.write(record.type, at, typeSize, "utf8");
  at += contentType.copy(out, at);
  at += created.copy(out, at);
  at = writeBytesField(out, 0x3a, record.metadata, at);
  at = writeBytesField(out, 0x42, record.data, at);
  out[at++] = 0x18; // ReadEvent.commit_position
  writeVarint(out, record.position, at);
  out.writeUInt32BE(crc32(out.subarray(0, size)), size);
  return out;
}

/** The message of a record as it is stored, as a copy; undefined when its checksum says that it is damaged. */
export function openRecord(stored: Uint8Array): Buffer | undefined {
  const size = stored.length - CHECKSUM_SIZE;
  if (size <= 0) return undefined;
  const message = Buffer.allocUnsafe(size);
  message.set(stored.subarray(0, size));
  return crc32(message) === Buffer.prototype.readUInt32BE.call(stored, size) ? message : undefined;
}

/** What filters and retention look at in a stored record. */
export interface RecordHeader {
  readonly stream: string;
  readonly type: string;
  readonly createdAt: number;
}

/** The id of a stored record. */
export function recordId(record: Buffer): string {
  const start = recordedStart(record) + 4;
  return record.toString("latin1", start, start + ID_SIZE);
}

/** The header of a stored record. */
export function recordHeader(record: Buffer): RecordHeader {
  let stream = "";
  let type = "";
  let createdAt = 0;
  const fields = recordedFields(record);
  for (let field = fields.next(); field !== 0; field = fields.next()) {
    if (field === 2) stream = firstString(fields.message());
    else if (field === 6) {
      const entry = readMapEntry(fields.message());
      if (entry.key === "type") type = entry.value;
      else if (entry.key === "created") {
        createdAt = Number(entry.value.slice(0, -4));
        break;
      }
    } else fields.skip();
  }
  return { stream, type, createdAt };
}

/** The `RecordedEvent` message inside a stored record. */
export function recordedEvent(record: Buffer): Buffer {
  const event = new WireReader(record);
  event.next();
  const recorded = event.message();
  recorded.next();
  return recorded.bytes();
}

/** Where a stored record stands in its stream; a tombstone stands at `Number.MAX_SAFE_INTEGER`. */
export function recordRevision(record: Buffer): number {
  const fields = recordedFields(record);
  for (let field = fields.next(); field !== 0; field = fields.next()) {
    if (field === 3) return fields.uint();
    fields.skip();
  }
  return 0;
}

/** Where a stored record stands in the log. */
export function recordPosition(record: Buffer): number {
  const fields = recordedFields(record);
  for (let field = fields.next(); field !== 0; field = fields.next()) {
    if (field === 5) return fields.uint();
    fields.skip();
  }
  return 0;
}

/** The data bytes of a stored record. */
export function recordData(record: Buffer): Buffer {
  return bytesField(record, 8);
}

/** The metadata bytes of a stored record. */
export function recordMetadata(record: Buffer): Buffer {
  return bytesField(record, 7);
}

/** Reads one entry of a `map<string, string>` field. */
export function readMapEntry(entry: WireReader): { key: string; value: string } {
  let key = "";
  let value = "";
  for (let field = entry.next(); field !== 0; field = entry.next()) {
    if (field === 1) key = entry.string();
    else if (field === 2) value = entry.string();
    else entry.skip();
  }
  return { key, value };
}

function bytesField(record: Buffer, number: number): Buffer {
  const fields = recordedFields(record);
  for (let field = fields.next(); field !== 0; field = fields.next()) {
    if (field === number) return fields.bytes();
    fields.skip();
  }
  return Buffer.alloc(0);
}

function firstString(message: WireReader): string {
  message.next();
  return message.string();
}

/** Skips the tags and lengths of `ReadResp.event` and `ReadEvent.event`. */
function recordedStart(record: Buffer): number {
  let at = 1;
  while ((record[at++] ?? 0) >= 0x80);
  at++;
  while ((record[at++] ?? 0) >= 0x80);
  return at;
}

function recordedFields(record: Buffer): WireReader {
  const event = new WireReader(record);
  event.next();
  const recorded = event.message();
  recorded.next();
  return recorded.message();
}

function mapEntry(key: string, value: string): Buffer {
  return Buffer.from(
    `\x32${String.fromCharCode(key.length + value.length + 4)}\x0a${String.fromCharCode(key.length)}${key}\x12${String.fromCharCode(value.length)}${value}`,
    "latin1",
  );
}

function bytesFieldSize(value: Uint8Array): number {
  return value.length === 0 ? 0 : 1 + varintSize(value.length) + value.length;
}

function writeBytesField(out: Buffer, tag: number, value: Uint8Array, at: number): number {
  if (value.length === 0) return at;
  out[at++] = tag;
  at = writeVarint(out, value.length, at);
  out.set(value, at);
  return at + value.length;
}
