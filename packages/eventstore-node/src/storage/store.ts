import { mkdirSync } from "node:fs";
import { lockFolder } from "./folder-lock.ts";
import { verifyFolder } from "./integrity/verify.ts";
import { createStoreFile, openStoreFile, readHeader, type Tables } from "./store-file.ts";

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

/** The tables of one folder, which no other process writes. */
export interface Store extends Omit<Tables, "root"> {
  /** Does the puts that `write` makes in one transaction; resolves when it is flushed, rejects when nothing of it is written. */
  transaction(write: () => void): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens (and creates) the store in the folder `dir`.
 * @throws when another process has it open, when it is of another format, or when it is seen to be damaged.
 */
export async function openStore(dir: string): Promise<Store> {
  mkdirSync(dir, { recursive: true });
  const lock = lockFolder(dir);
  if (lock === undefined) throw new Error(`the folder ${dir} is already open in another event store node`);
  try {
    await createStoreFile(dir);
    await refuseCutFile(dir);
    const { root, ...tables } = await openStoreFile(dir, { readOnly: false });
    return {
      ...tables,
      async transaction(write) {
        await root.batch(write);
      },
      async close() {
        await root.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** A short file is whole when the pages that it lacks are free ones; only a full check can tell. */
async function refuseCutFile(dir: string): Promise<void> {
  if (!readHeader(dir).isShort) return;
  const { damage } = await verifyFolder(dir);
  if (damage.length > 0) throw new Error(`the folder ${dir} is damaged: ${damage[0]}`);
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
