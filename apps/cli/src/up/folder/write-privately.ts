import { renameSync, writeFileSync } from "node:fs";

/** Writes a value as JSON that only its owner may read. A reader sees the old file or the new one, never half. */
export function writePrivately(file: string, value: unknown): void {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, file);
}
