import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Holds a folder until `release` is called or this process ends, however it ends. */
export interface FolderLock {
  release(): void;
}

/**
 * Takes a folder for this process, or gives `undefined` if another one (or another platform of this one) has it.
 *
 * The lock is the operating system's, held through an open SQLite transaction: the kernel drops it with the
 * process, so that there is no such thing as a stale lock, and two that start at once cannot both win.
 */
export function lockFolder(folder: string): FolderLock | undefined {
  const database = new DatabaseSync(join(folder, "lock"));
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === sqliteBusy) return undefined;
    throw error;
  }
  return { release: () => database.close() };
}

/** https://sqlite.org/rescode.html#busy */
const sqliteBusy = 5;
