import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { bench } from "../../harness/testing.ts";

const NAMES = [
  "accepted-per-second",
  "confirm-p50-ms",
  "confirm-p99-ms",
  "cpu-ms-per-submission",
  "lost",
  "duplicated",
];

test.runIf(process.platform === "linux")(
  "the storm submission-flood measures every figure, and loses and doubles nothing",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "bench-test-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const json = join(folder, "figures.json");
    const { code, stderr } = await bench("submission-flood", "--quick", "--json", json);
    expect(code, stderr).toBe(0);
    expect(stderr).not.toContain("failed: ");
    const { figures } = JSON.parse(readFileSync(json, "utf8"));
    expect(figures.map(({ name }: { name: string }) => name)).toEqual(NAMES);
    for (const { name, carillon, baseline, ceiling } of figures) {
      if (["lost", "duplicated"].includes(name)) {
        expect({ name, carillon, baseline }).toEqual({ name, carillon: 0, baseline: 0 });
      } else expect(Math.min(carillon, baseline, ceiling), name).toBeGreaterThan(0);
    }
  },
);
