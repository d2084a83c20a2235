import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tenantIdOf } from "@carillon/domain";
import { connectEventLog, type EventLog } from "@carillon/platform";
import { carillon, carillonJson, ouladFolder } from "@carillon/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createOperatorClient } from "./operator/operator-client.ts";
import { findPlatform } from "./operator/platform-address.ts";
import { importOulad } from "./oulad/import-oulad.ts";
import { readTables } from "./oulad/tables.ts";
import { type RunningPlatform, startPlatform } from "./up/start-platform.ts";

interface Report {
  class: string;
  asOf: { position: string; at: string };
  stale: boolean;
  assessments: { assessment: string }[];
}
type Expected = Record<string, Omit<Report, "class" | "asOf" | "stale">>;

const oulad = ouladFolder();

/** What is killed during the import, and when: at so many events in the log. */
const kills = [
  ["relay", 40_000],
  ["eventstore", 90_000],
  ["projector-reports", 140_000],
  ["projector-live", 180_000],
  ["nats", 230_000],
  ["api", 270_000],
  ["postgres", 300_000],
  ["eventstore", 350_000],
] as const;

/** Two minutes where nothing else runs. */
const importPatienceMs = 1_200_000;

describe.skipIf(!oulad)("a real year of 32,593 registrations and 173,912 submissions", () => {
  const folder = oulad ?? "";
  let data: string;
  let platform: RunningPlatform;
  let log: EventLog;

  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), "carillon-year-"));
    platform = await startPlatform({ data });
    log = connectEventLog(findPlatform({ data, env: {} }).eventstoreUrl, { patienceMs: 60_000 });
  });

  afterAll(async () => {
    log?.close();
    await platform?.stop();
    await rm(data, { recursive: true, force: true });
  });

  test(
    "is imported while one process after another is killed: nothing is lost, nothing is there twice",
    async () => {
      const importing = carillonJson<{ eventsAdded: number }>(
        "import",
        "oulad",
        folder,
        "--tenant",
        "open-university",
        "--data",
        data,
      );
      importing.catch(() => {});
      for (const [name, events] of kills) {
        const progress = expect.poll(() => log.head(), { interval: 250, timeout: importPatienceMs });
        await progress.toBeGreaterThan(BigInt(events));
        await platform.kill(name);
      }
      expect(await importing).toMatchObject({
        registrations: 32_593,
        withdrawals: 10_072,
        submissions: 173_912,
        scores: 173_739,
      });

      const counts: Record<string, number> = {};
      const ids = new Set<string>();
      for await (const { id, type } of log.readAll(undefined)) {
        ids.add(id);
        counts[type] = (counts[type] ?? 0) + 1;
      }
      expect(counts).toEqual({
        TenantEnrolled: 1,
        ClassOpened: 22,
        AssignmentPublished: 206,
        UserEnrolled: 28_785,
        StudentJoinedClass: 32_593,
        SubmissionRecorded: 173_912,
        SubmissionGraded: 173_739,
        StudentLeftClass: 10_072,
        ReceiptKeyPublished: 1,
      });
      expect(ids.size).toBe(Object.values(counts).reduce((sum, count) => sum + count));
    },
    importPatienceMs,
  );

  const expected: Expected = oulad ? JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")) : {};
  const codes = Object.keys(expected);
  const expectRight = (code: string, { asOf, stale, ...report }: Report) => {
    expect(report).toEqual({ class: code, ...expected[code] });
    expect(stale).toBe(false);
    expect(Date.parse(asOf.at)).toBeLessThanOrEqual(Date.now());
  };

  test.each(codes)("the report of %s is right, figure by figure", async (code) => {
    const atPlatform = findPlatform({ data, env: {} });
    const { reports } = await createOperatorClient(atPlatform, tenantIdOf("open-university"));
    expectRight(code, (await reports.classProgress.query({ class: code })) as Report);
  });

  test("the command prints a report as it is", async () => {
    const [code = ""] = codes;
    const args = ["--tenant", "open-university", "--class", code, "--data", data];
    expectRight(code, await carillonJson<Report>("report", "class-progress", ...args));
  });

  test("is imported again for every tenth student, and adds nothing", async () => {
    const before = await log.head();
    const tables = await readTables(folder);
    const isTenth = ({ id_student }: { id_student: string }) => Number(id_student) % 10 === 0;
    const part = {
      ...tables,
      registrations: tables.registrations.filter(isTenth),
      submissions: tables.submissions.filter(isTenth),
    };
    const again = await importOulad(log, "open-university", part, new Date(), () => {});
    expect(again.eventsAdded).toBe(0);
    expect(again.submissions).toBeGreaterThan(15_000);
    expect(await log.head()).toBe(before);
  });

  test("a report of nothing says so", async () => {
    const ask = (tenant: string, code: string) =>
      carillon("report", "class-progress", "--tenant", tenant, "--class", code, "--data", data, "--json");
    const unknownClass = await ask("open-university", "ZZZ-2013J");
    expect(unknownClass).toEqual({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/^carillon: .*class.*\n$/),
    });
    const unknownTenant = await ask("closed-university", "AAA-2013J");
    expect(unknownTenant).toEqual({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining("closed-university"),
    });
  });
});
