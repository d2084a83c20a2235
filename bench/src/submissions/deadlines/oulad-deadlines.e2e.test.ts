import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ouladFolder } from "@carillon/testkit";
import { expect, onTestFinished, test } from "vitest";
import { bench } from "../../harness/testing.ts";

const dataset = ouladFolder();

test.runIf(process.platform === "linux" && dataset !== undefined)(
  "on real deadline days nothing is lost, and late is what was late",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "bench-test-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const json = join(folder, "figures.json");
    const { code, stderr } = await bench("oulad-deadlines", "--quick", "--json", json);
    expect(code, stderr).toBe(0);
    const { figures } = JSON.parse(readFileSync(json, "utf8"));
    const values: Record<string, number> = Object.fromEntries(
      figures.map(({ name, carillon }: { name: string; carillon: number }) => [name, carillon]),
    );
    expect(values, stderr).toMatchObject({ unconfirmed: 0, lost: 0, duplicated: 0, "lateness-wrong": 0 });
    expect(values["handed-in"]).toBeGreaterThan(values.late ?? 0);
    expect(values.late).toBeGreaterThan(0);
  },
);
