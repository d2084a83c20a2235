import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { bench } from "../../harness/testing.ts";

const dataset = resolve(
  process.env.OULAD_DIR ?? join(import.meta.dirname, "../../../../../shared/data/oulad"),
);
if (!existsSync(dataset)) {
  process.stderr.write(
    `\n!! NOT TESTED: the OULAD dataset is not in ${dataset}. Set OULAD_DIR to its folder.\n\n`,
  );
}

test.runIf(process.platform === "linux" && existsSync(dataset))(
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
