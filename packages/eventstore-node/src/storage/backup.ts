import { existsSync, mkdirSync } from "node:fs";
import { type Verification, verifyFolder } from "./integrity/verify.ts";
import { openStoreFile, publish, readHeader, removeStoreFile, storeFile } from "./store-file.ts";

/**
 * Copies the events of the folder `from` into the folder `to`, as they are at one moment, whether or not a node runs on
 * them. The copy is checked in full before this resolves; a node can then be started on it.
 * @throws when `to` has events already, or when the copy does not check out: it is then removed.
 */
export async function backupFolder(from: string, to: string): Promise<Verification> {
  const copy = storeFile(to);
  if (existsSync(copy)) throw new Error(`the folder ${to} has events already`);
  if (!existsSync(storeFile(from))) throw new Error(`the folder ${from} has no events`);
  readHeader(from);
  mkdirSync(to, { recursive: true });
  const unfinished = `${copy}.new`;
  removeStoreFile(unfinished);
  const { root } = await openStoreFile(from, { readOnly: true });
  try {
    await root.backup(unfinished, true);
  } finally {
    await root.close();
  }
  publish(unfinished, copy);
  const verification = await verifyFolder(to);
  if (verification.damage.length > 0) {
    removeStoreFile(copy);
    throw new Error(`the copy is not whole, so it was removed: ${verification.damage[0]}`);
  }
  return verification;
}
