import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Holds a folder until `release` is called or this process ends, however it ends. */
export interface FolderLock {
  release(): void;
}

/**
 * Takes a folder, which must exist, for the caller; gives `undefined` where another process, or another caller in this
 * one, has it.
 *
 * The lock is the operating system's, held through an open SQLite transaction on the file `lock` in the folder: the
 * kernel drops it with the process, so that there is no such thing as a stale lock, two that start at once cannot both
 * win, and containers that share a volume see each other.
 *
 * @throws where there can be no such file: the folder is missing or not to be written, or its path is longer than the
 * 500 bytes that SQLite takes. The message names the folder.
 */
export function lockFolder(folder: string): FolderLock | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(join(folder, "lock"));
    database.exec("BEGIN EXCLUSIVE");
  } catch (cause) {
    database?.close();
    const { errcode, message } = cause as { errcode?: number; message: string };
    if (errcode === sqliteBusy) return undefined;
    throw new Error(`the folder ${folder} cannot be locked: ${message}`, { cause });
  }
  const held = database;
  return { release: () => held.close() };
}

/** https://sqlite.org/rescode.html#busy */
const sqliteBusy = 5;
