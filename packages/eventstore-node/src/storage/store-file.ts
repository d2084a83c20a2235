/** The LMDB file of a folder: how it comes into being, what can be told of it before it is mapped, and its tables. */
import { closeSync, existsSync, fstatSync, fsyncSync, openSync, readSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Database, open, type RootDatabase } from "lmdb";
import { openRecord } from "./record.ts";

/** Raised by one whenever older code could misread what newer code writes, or newer code what older code wrote. */
const FORMAT = 2;

/** Address space for the map, not disk: the file is as long as its content. */
const MAP_SIZE = 2 ** 40;

/** The tables of one file. Reads see everything that was committed before they start. */
export interface Tables {
  readonly root: RootDatabase<Buffer, string>;
  /** Records by position, from 1 on, without gaps; undefined when its checksum says that it is damaged. */
  readonly events: Database<Buffer | undefined, number>;
  /** Positions (8 bytes, a double) by stream number and revision. */
  readonly index: Database<Buffer, [streamNumber: number, revision: number]>;
  /** Heads by stream name. */
  readonly heads: Database<Buffer, string>;
}

/** Where the folder `dir` keeps its events. */
export function storeFile(dir: string): string {
  return join(dir, "events.lmdb");
}

/** Makes sure that the folder has a file; a new one appears under its name only once it is whole. */
export async function createStoreFile(dir: string): Promise<void> {
  const file = storeFile(dir);
  if (existsSync(file)) return;
  const unfinished = `${file}.new`;
  removeStoreFile(unfinished);
  const root = openRoot(unfinished, false);
  await openSettings(root).put("format", FORMAT);
  openTables(root);
  await root.close();
  publish(unfinished, file);
}

/** Gives a file that is written completely its name, so that it survives a power cut under that name or not at all. */
export function publish(unfinished: string, file: string): void {
  flush(unfinished);
  renameSync(unfinished, file);
  rmSync(`${unfinished}-lock`, { force: true });
  // Windows has no handle on a folder to flush.
  if (process.platform !== "win32") flush(dirname(file));
}

/** Removes what is left of a file that was not finished. */
export function removeStoreFile(unfinished: string): void {
  for (const path of [unfinished, `${unfinished}-lock`]) rmSync(path, { force: true });
}

/**
 * Opens the tables of the file in `dir`, which must exist.
 * @throws when it is of another format, or so damaged that it cannot be mapped.
 */
export async function openStoreFile(dir: string, { readOnly }: { readOnly: boolean }): Promise<Tables> {
  let root: Root | undefined;
  try {
    root = openRoot(storeFile(dir), readOnly);
    const format = openSettings(root).get("format");
    if (format === undefined) throw new Error("it does not say its format");
    if (format !== FORMAT) throw new ForeignFormat(dir, format);
    return openTables(root);
  } catch (error) {
    await root?.close();
    if (error instanceof ForeignFormat) throw error;
    throw new Error(`the folder ${dir} is damaged: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}

/** What the first pages of the file say about it. */
export interface FileHeader {
  /** Whether the file ends before the last page that it was ever given. */
  readonly isShort: boolean;
}

/**
 * Reads the first pages without mapping the file: a process that maps a damaged file can die of it.
 * Layout: `MDB_page_header` and `MDB_meta` of LMDB 1.0.
 * @throws when this is no such file.
 */
export function readHeader(dir: string): FileHeader {
  const descriptor = openSync(storeFile(dir), "r");
  try {
    const first = readMeta(descriptor, 0);
    const second = first && readMeta(descriptor, first.pageSize);
    if (first === undefined || second === undefined) {
      throw new Error(
        `the folder ${dir} is damaged: ${storeFile(dir)} does not begin as an event store's file`,
      );
    }
    const { lastPage } = second.transaction > first.transaction ? second : first;
    return { isShort: fstatSync(descriptor).size < (lastPage + 1) * first.pageSize };
  } finally {
    closeSync(descriptor);
  }
}

const MAGIC = 0xbeefc0de;
const PAGE_HEADER_SIZE = 24;
const META_SIZE = 136;

interface Meta {
  readonly pageSize: number;
  readonly lastPage: number;
  readonly transaction: bigint;
}

function readMeta(descriptor: number, at: number): Meta | undefined {
  const bytes = Buffer.alloc(PAGE_HEADER_SIZE + META_SIZE);
  if (readSync(descriptor, bytes, 0, bytes.length, at) < bytes.length) return undefined;
  const meta = bytes.subarray(PAGE_HEADER_SIZE);
  const pageSize = meta.readUInt32LE(24);
  if (meta.readUInt32LE(0) !== MAGIC || pageSize < 512 || pageSize > 65536) return undefined;
  return { pageSize, lastPage: Number(meta.readBigUInt64LE(120)), transaction: meta.readBigUInt64LE(128) };
}

class ForeignFormat extends Error {
  constructor(dir: string, format: number) {
    const writer = format > FORMAT ? "a newer" : "an older";
    super(
      `the folder ${dir} has format ${format}, of ${writer} version of this node; this one reads format ${FORMAT}`,
    );
  }
}

type Root = RootDatabase<Buffer, string>;

function openRoot(path: string, readOnly: boolean): Root {
  return open<Buffer, string>({
    path,
    readOnly,
    // Without overlapping sync a write resolves only after its commit is flushed: an acknowledgement means on disk.
    overlappingSync: false,
    // Its implicit transactions answer a failed commit with a rejection that cannot be caught; ours are explicit.
    eventTurnBatching: false,
    mapSize: MAP_SIZE,
    noMemInit: true,
    encoding: "binary",
  });
}

function openSettings(root: Root): Database<number, string> {
  return present("settings", root.openDB("settings", { encoding: "ordered-binary" }));
}

function openTables(root: Root): Tables {
  return {
    root,
    events: present("events", root.openDB("events", recordTable)),
    index: present("index", root.openDB("index", { encoding: "binary" })),
    heads: present("heads", root.openDB("heads", { encoding: "binary" })),
  };
}

/** Contrary to its type lmdb gives nothing for a table that is missing from a file that is opened to read only. */
function present<T>(name: string, table: T | undefined): T {
  if (table === undefined) throw new Error(`its table "${name}" is missing`);
  return table;
}

/** Records are written as `encodeRecord` made them and checked as they are read. */
const recordTable = {
  encoding: "binary",
  encoder: { encode: (stored: Buffer) => stored, decode: openRecord },
} as const;

function flush(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
