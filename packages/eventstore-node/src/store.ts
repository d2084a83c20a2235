import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Database, open } from "lmdb";
import { lockFolder } from "./folder-lock.ts";

/** Raised by one whenever older code could misread what newer code writes. */
const FORMAT = 1;

/** Address space for the map, not disk: the file is as long as its content. */
const MAP_SIZE = 2 ** 40;

/** What the log knows about a stream besides its events. */
export interface StreamHead {
  /** Names the stream in the index; 0 until its first event. */
  readonly number: number;
  /** The last revision, or -1 without events. */
  readonly last: number;
  /** Where the last event of its metadata stream is, or 0. */
  readonly metadataPosition: number;
  readonly tombstoned: boolean;
}

/** The state of a stream that was never written. */
export const NEW_STREAM: StreamHead = { number: 0, last: -1, metadataPosition: 0, tombstoned: false };

/** The tables of one folder. Reads see everything that was committed before they start. */
export interface Store {
  /** Records by position, from 1 on, without gaps. */
  readonly events: Database<Buffer, number>;
  /** Positions (8 bytes, a double) by stream number and revision. */
  readonly index: Database<Buffer, [streamNumber: number, revision: number]>;
  /** Heads by stream name. */
  readonly heads: Database<Buffer, string>;
  /** Does the puts that `write` makes in one transaction; resolves when it is flushed, rejects when nothing of it is written. */
  transaction(write: () => void): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens (and creates) the store in the folder `dir`.
 * @throws when another process has it open, or when newer code wrote it.
 */
export async function openStore(dir: string): Promise<Store> {
  mkdirSync(dir, { recursive: true });
  const lock = await lockFolder(dir);
  try {
    const root = open({
      path: join(dir, "events.lmdb"),
      // Without overlapping sync a write resolves only after its commit is flushed: an acknowledgement means on disk.
      overlappingSync: false,
      // Its implicit transactions answer a failed commit with a rejection that nobody can catch; ours are explicit.
      eventTurnBatching: false,
      mapSize: MAP_SIZE,
      noMemInit: true,
      encoding: "binary",
    });
    const settings = root.openDB<number, string>("settings", { encoding: "ordered-binary" });
    const format = settings.get("format");
    if (format !== undefined && format > FORMAT) {
      await root.close();
      throw new Error(`the folder ${dir} has format ${format}; this node reads formats up to ${FORMAT}`);
    }
    if (format === undefined) await settings.put("format", FORMAT);
    return {
      events: root.openDB<Buffer, number>("events", { encoding: "binary" }),
      index: root.openDB<Buffer, [number, number]>("index", { encoding: "binary" }),
      heads: root.openDB<Buffer, string>("heads", { encoding: "binary" }),
      async transaction(write) {
        await root.batch(write);
      },
      async close() {
        await root.close();
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** The stored form of a head. */
export function encodeHead(head: StreamHead): Buffer {
  const bytes = Buffer.allocUnsafe(25);
  bytes.writeDoubleBE(head.number, 0);
  bytes.writeDoubleBE(head.last, 8);
  bytes.writeDoubleBE(head.metadataPosition, 16);
  bytes.writeUInt8(head.tombstoned ? 1 : 0, 24);
  return bytes;
}

/** The head in its stored form. */
export function decodeHead(bytes: Buffer): StreamHead {
  return {
    number: bytes.readDoubleBE(0),
    last: bytes.readDoubleBE(8),
    metadataPosition: bytes.readDoubleBE(16),
    tombstoned: bytes.readUInt8(24) === 1,
  };
}

/** The stored form of a position in the index. */
export function encodePosition(position: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeDoubleBE(position, 0);
  return bytes;
}

/** The position in its stored form. */
export function decodePosition(bytes: Buffer): number {
  return bytes.readDoubleBE(0);
}
