import { end, type Log } from "@carillon/launcher";
import { readPlatformFile, removePlatformFile } from "../folder/platform-file.ts";

/** As long as a leftover process may take before it is killed. */
const patienceMs = 5_000;

/**
 * Ends what a killed platform left running in a folder: it would hold the ports and the data. A process that merely
 * got the same pid is not touched. Only for the holder of the folder's lock.
 */
export async function stopLeftovers(folder: string, log: Log): Promise<void> {
  const left = readPlatformFile(folder);
  if (left === undefined) return;
  log("carillon", "the last platform in this folder was not stopped; stopping what is left of it");
  await Promise.all(Object.values(left.processes).map((identity) => end(identity, patienceMs)));
  removePlatformFile(folder);
}
