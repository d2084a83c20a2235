/**
 * The part of the protobuf wire format that the event path needs, without building message objects. Why no library does
 * this: docs/decisions/0013-what-is-kept-by-hand.md.
 * Format: https://protobuf.dev/programming-guides/encoding/
 */

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** Reads the fields of one message in place. Slices it hands out share memory with the input. */
export class WireReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  #wireType = VARINT;

  constructor(bytes: Buffer, start = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Moves to the next field and gives its number, or 0 at the end of the message. */
  next(): number {
    if (this.#at >= this.#end) return 0;
    const tag = this.uint();
    this.#wireType = tag & 7;
    return tag >>> 3;
  }

  /** An unsigned integer. Values past 2^53 become `Number.MAX_SAFE_INTEGER`: no revision or position gets there. */
  uint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined || this.#at > this.#end) throw new RangeError("a varint ends past its message");
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return Math.min(value, Number.MAX_SAFE_INTEGER);
      scale *= 128;
    }
  }

  /** A signed 64-bit integer, as the halves of a structured UUID are. */
  int64(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined || this.#at > this.#end) throw new RangeError("a varint ends past its message");
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
  }

  bytes(): Buffer {
    const start = this.#lengthPrefix();
    return this.#bytes.subarray(start, this.#at);
  }

  string(): string {
    const start = this.#lengthPrefix();
    return this.#bytes.toString("utf8", start, this.#at);
  }

  message(): WireReader {
    const start = this.#lengthPrefix();
    return new WireReader(this.#bytes, start, this.#at);
  }

  /** The fields that were not read yet, as they are. */
  rest(): Buffer {
    return this.#bytes.subarray(this.#at, this.#end);
  }

  skip(): void {
    if (this.#wireType === VARINT) this.uint();
    else if (this.#wireType === FIXED64) this.#at += 8;
    else if (this.#wireType === BYTES) this.#lengthPrefix();
    else if (this.#wireType === FIXED32) this.#at += 4;
    else throw new RangeError(`wire type ${this.#wireType} is not known`);
  }

  #lengthPrefix(): number {
    const length = this.uint();
    const start = this.#at;
    this.#at = start + length;
    if (this.#at > this.#end) throw new RangeError("a field ends past its message");
    return start;
  }
}

/** How many bytes `value` takes as a varint. */
export function varintSize(value: number | bigint): number {
  if (typeof value === "bigint") return Math.ceil(value.toString(2).length / 7);
  let size = 1;
  for (let rest = value; rest >= 128; rest /= 128) size++;
  return size;
}

/** Writes `value` as a varint at `at` and gives the position after it. */
export function writeVarint(target: Buffer, value: number | bigint, at: number): number {
  if (typeof value === "bigint") {
    let rest = value;
    while (rest > 0x7fn) {
      target[at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    target[at++] = Number(rest);
    return at;
  }
  let rest = value;
  while (rest > 0x7f) {
    target[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  target[at++] = rest;
  return at;
}

/** Builds one small message. Nested messages are written in place and get their length afterwards. */
export class WireWriter {
  #bytes = Buffer.allocUnsafe(512);
  #at = 0;

  uint(field: number, value: number | bigint): this {
    this.#room(20);
    this.#at = writeVarint(this.#bytes, field * 8 + VARINT, this.#at);
    this.#at = writeVarint(this.#bytes, value, this.#at);
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.#room(20 + value.length);
    this.#at = writeVarint(this.#bytes, field * 8 + BYTES, this.#at);
    this.#at = writeVarint(this.#bytes, value.length, this.#at);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  /** Fields that are encoded already. */
  raw(fields: Uint8Array): this {
    this.#room(fields.length);
    this.#bytes.set(fields, this.#at);
    this.#at += fields.length;
    return this;
  }

  string(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value));
  }

  message(field: number, write: (writer: this) => void): this {
    this.#room(20);
    this.#at = writeVarint(this.#bytes, field * 8 + BYTES, this.#at);
    const start = this.#at;
    this.#at = start + 1;
    write(this);
    const length = this.#at - start - 1;
    const shift = varintSize(length) - 1;
    if (shift > 0) {
      this.#room(shift);
      this.#bytes.copyWithin(start + 1 + shift, start + 1, this.#at);
      this.#at += shift;
    }
    writeVarint(this.#bytes, length, start);
    return this;
  }

  /** The message so far, as a copy; the writer starts anew. */
  finish(): Buffer {
    const message = Buffer.from(this.#bytes.subarray(0, this.#at));
    this.#at = 0;
    return message;
  }

  #room(extra: number): void {
    if (this.#at + extra <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + extra));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
