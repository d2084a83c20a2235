import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readTables } from "./tables.ts";

const tables = {
  courses: ["code_module,code_presentation,module_presentation_length", '"AAA","2013J","268"'],
  assessments: [
    "code_module,code_presentation,id_assessment,assessment_type,date,weight",
    "AAA,2013J,1752,TMA,19,10",
    "AAA,2013J,1757,Exam,?,100",
  ],
  studentRegistration: [
    "code_module,code_presentation,id_student,date_registration,date_unregistration",
    "AAA,2013J,11391,-159,?",
  ],
  studentAssessment: [
    "id_assessment,id_student,date_submitted,is_banked,score",
    "1752,11391,18,0,78",
    "1752,11392,-1,1,?",
  ],
};
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "carillon-tables-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function write(changes: Partial<Record<keyof typeof tables, string[]>> = {}) {
  for (const [name, lines] of Object.entries({ ...tables, ...changes })) {
    const text = `${lines.join("\n")}\n`;
    if (name === "courses") await writeFile(join(folder, `${name}.csv`), text);
    else await writeFile(join(folder, `${name}.csv.gz`), gzipSync(text));
  }
}

test("plain and gzipped tables are read, with `?` for what is missing", async () => {
  await write();
  const { courses, assessments, registrations, submissions } = await readTables(folder);
  expect(courses).toEqual([
    { code_module: "AAA", code_presentation: "2013J", module_presentation_length: 268 },
  ]);
  expect(assessments.map(({ date, weight }) => [date, weight])).toEqual([
    [19, 10],
    [null, 100],
  ]);
  expect(registrations[0]).toMatchObject({ date_registration: -159, date_unregistration: null });
  expect(submissions.map(({ is_banked, score }) => [is_banked, score])).toEqual([
    [false, 78],
    [true, null],
  ]);
});

test("a missing file is named", async () => {
  await write();
  await rm(join(folder, "assessments.csv.gz"));
  await expect(readTables(folder)).rejects.toMatchObject({
    code: "malformed",
    message: expect.stringContaining("assessments.csv"),
  });
});

describe("a wrong row is named by file, line and column:", () => {
  test.each([
    ["a score above 100", "1752,11391,18,0,101", /line 2, score/],
    ["a score that is no number", "1752,11391,18,0,good", /line 2, score/],
    ["a day that is no number", "1752,11391,soon,0,70", /line 2, date_submitted/],
    ["a flag that is neither 0 nor 1", "1752,11391,18,yes,70", /line 2, is_banked/],
    ["a row with a column too few", "1752,11391,18", /cannot be read/],
  ])("%s", async (_what, row, message) => {
    await write({ studentAssessment: [tables.studentAssessment[0] ?? "", row] });
    await expect(readTables(folder)).rejects.toMatchObject({
      code: "malformed",
      message: expect.stringMatching(message),
    });
  });
});

test("a file that is cut off is refused, not read in part", async () => {
  await write();
  const whole = gzipSync("id_assessment,id_student,date_submitted,is_banked,score\n1752,11391,18,0,78\n");
  await writeFile(join(folder, "studentAssessment.csv.gz"), whole.subarray(0, whole.length - 12));
  await expect(readTables(folder)).rejects.toMatchObject({ code: "malformed" });
});
