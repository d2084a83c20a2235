import { setPriority } from "node:os";
import process from "node:process";
import { parentPort } from "node:worker_threads";
import { checkPassword, hashPassword, type Verdict } from "./formats.ts";

/** What one thread of the hash pool runs: a hash at a time, in order, behind everything else that the machine does. */

export type HashJob =
  | { readonly type: "hash"; readonly password: string }
  | { readonly type: "check"; readonly stored: string | null; readonly password: string };

/** What a thread says: once that it is `ready`, then the result of each job. `ms`: how long a hash took. */
export type HashThreadMessage =
  | { readonly type: "ready"; readonly lowPriority: boolean; readonly ms: number }
  | { readonly type: "hashed"; readonly hash: string; readonly ms: number }
  | { readonly type: "checked"; readonly verdict: Verdict; readonly ms: number };

/** The nice value: a tenth of the share of a process at 0, so that a busy machine slows logins down but not to a halt. */
const nice = 10;

/** On Linux a thread has a nice value of its own; elsewhere it is the whole process's, which stays as it is. */
function lowerPriority(): boolean {
  if (process.platform !== "linux") return false;
  try {
    setPriority(0, nice);
    return true;
  } catch {
    return false;
  }
}

const port = parentPort;
if (!port) throw new Error("hash-thread.ts runs as a worker thread");

const say = (message: HashThreadMessage) => port.postMessage(message);

const lowPriority = lowerPriority();
// What the check for nobody prepares is then there, and a first measure.
checkPassword(null, "");
const started = performance.now();
checkPassword(null, "");
say({ type: "ready", lowPriority, ms: performance.now() - started });

port.on("message", (job: HashJob) => {
  const start = performance.now();
  if (job.type === "hash") {
    const hash = hashPassword(job.password);
    say({ type: "hashed", hash, ms: performance.now() - start });
  } else {
    const verdict = checkPassword(job.stored, job.password);
    say({ type: "checked", verdict, ms: performance.now() - start });
  }
});
