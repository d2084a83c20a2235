import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { bench } from "../../harness/testing.ts";

test("twenty floods with kill -9: what has a receipt is there once, a student who has none gets one", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bench-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const json = join(folder, "figures.json");
  const { code, stderr } = await bench("submission-chaos", "--quick", "--json", json);
  process.stderr.write(stderr.split("\n")[0] ?? "");
  expect(code, stderr).toBe(0);
  const { figures } = JSON.parse(readFileSync(json, "utf8"));
  const values: Record<string, number> = Object.fromEntries(
    figures.map(({ name, carillon }: { name: string; carillon: number }) => [name, carillon]),
  );
  expect(values, stderr).toMatchObject({
    cycles: 20,
    acknowledged: 20 * 40,
    "without-receipt": 0,
    "other-receipt": 0,
    lost: 0,
    duplicated: 0,
    "not-graded-once": 0,
    "read-model-wrong": 0,
  });
  expect(values.kills).toBeGreaterThanOrEqual(20);
  // Otherwise nobody was in the middle of it when a process died.
  expect(values["came-back"], stderr).toBeGreaterThan(0);
});
