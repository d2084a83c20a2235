import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { bench } from "../harness/testing.ts";

const NAMES = [
  "password-logins-per-second",
  "refreshes-per-second",
  "mixed-storm-seconds",
  "mixed-storm-failed",
  "cpu-ms-per-login",
  "bystander-p99-idle-ms",
  "bystander-p99-storm-ms",
];

test.runIf(process.platform === "linux")("the storm login-storm measures every figure", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bench-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const json = join(folder, "figures.json");
  const { code, stderr } = await bench("login-storm", "--quick", "--json", json);
  expect(code, stderr).toBe(0);
  expect(stderr).not.toContain("failed: ");
  const { figures } = JSON.parse(readFileSync(json, "utf8"));
  expect(figures.map(({ name }: { name: string }) => name)).toEqual(NAMES);
  for (const { name, carillon, baseline } of figures) {
    if (name === "mixed-storm-failed") expect({ carillon, baseline }).toEqual({ carillon: 0, baseline: 0 });
    else expect(Math.min(carillon, baseline), name).toBeGreaterThan(0);
  }
});
