import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { bench } from "../harness/testing.ts";

const NAMES = [
  "appends-per-second-1",
  "appends-per-second-32",
  "appends-per-second-256",
  "append-p99-ms-256",
  "catch-up-events-per-second",
  "memory-mib",
];

test.runIf(process.platform === "linux")("the storm event-store measures every figure", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bench-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const json = join(folder, "figures.json");
  const { code, stdout, stderr } = await bench("event-store", "--quick", "--json", json);
  expect(code, stderr).toBe(0);
  expect(stdout.split("\n").flatMap((line) => NAMES.filter((name) => line.startsWith(`${name} `)))).toEqual(
    NAMES,
  );
  const { figures } = JSON.parse(readFileSync(json, "utf8"));
  expect(figures.map(({ name }: { name: string }) => name)).toEqual(NAMES);
  for (const { carillon, ceiling, baseline, rounds, name } of figures) {
    expect(carillon).toBeGreaterThan(0);
    expect(rounds.carillon).toEqual([carillon]);
    expect(baseline).toBe(null);
    if (name !== "memory-mib") expect(ceiling).toBeGreaterThan(0);
  }
});

test.each([
  ["no storm", [], "name one storm"],
  ["a storm that there is not", ["tea-cup"], 'there is no storm "tea-cup"'],
])("wrong usage, %s, is one clear line and exit code 2", async (_, args, message) => {
  const { code, stdout, stderr } = await bench(...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain(message);
  expect(stderr).toContain("usage: npm run -s bench -- event-store");
});
