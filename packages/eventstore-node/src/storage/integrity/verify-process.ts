/** The process behind `verifyFolder`: `node verify-process.ts DIR`. */
import { writeSync } from "node:fs";
import { openStoreFile, readHeader } from "../store-file.ts";
import { checkTables, type Findings } from "./check-tables.ts";
import type { VerifyMessage } from "./verify.ts";

const DAMAGE_LIMIT = 100;

/** Written at once, so that a crash of this process loses nothing that it has said. */
function say(message: VerifyMessage): void {
  writeSync(1, `${JSON.stringify(message)}\n`);
}

let damageCount = 0;
const findings: Findings = {
  damage(text) {
    say({ kind: "damage", text });
    damageCount++;
    if (damageCount >= DAMAGE_LIMIT) throw new Error("more is damaged; this list ends here");
  },
  reached: (where) => say({ kind: "reached", where }),
};

const [dir = "."] = process.argv.slice(2);
let counts = { events: 0, streams: 0 };
try {
  readHeader(dir);
  const tables = await openStoreFile(dir, { readOnly: true });
  counts = checkTables(tables, findings);
} catch (error) {
  say({ kind: "damage", text: error instanceof Error ? error.message : String(error) });
}
say({ kind: "done", ...counts });
process.exit();
