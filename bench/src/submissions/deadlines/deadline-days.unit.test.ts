import type { OuladTables } from "@carillon/cli/oulad/tables";
import { expect, test } from "vitest";
import { compress } from "./compressed-day.ts";
import { busiestDeadlineDays } from "./deadline-days.ts";

const module = { code_module: "AAA", code_presentation: "2013J" };
const assessment = (id_assessment: string, date: number | null) => ({
  ...module,
  id_assessment,
  assessment_type: "TMA",
  date,
  weight: 10,
});
const submission = (
  id_assessment: string,
  id_student: string,
  date_submitted: number,
  is_banked = false,
) => ({
  id_assessment,
  id_student,
  date_submitted,
  is_banked,
  score: 50,
});

const tables: OuladTables = {
  courses: [{ ...module, module_presentation_length: 268 }],
  registrations: [],
  assessments: [
    assessment("a", 19),
    assessment("b", 40),
    assessment("c", 10),
    assessment("d", null),
    // Due on the same date as "a", in another presentation.
    { ...assessment("e", 261), code_presentation: "2013B" },
  ],
  submissions: [
    ...["1", "2", "3"].map((student) => submission("a", student, 19)),
    submission("a", "4", 20),
    submission("a", "5", 19, true),
    submission("b", "1", 19),
    submission("c", "2", 20),
    submission("d", "3", 20),
    submission("e", "9", 261),
    ...["1", "2"].map((student) => submission("b", student, 40)),
    submission("a", "6", 21),
  ],
};

test("days are ranked by what came on the due day itself, over all presentations", () => {
  const days = busiestDeadlineDays(tables, 10);
  expect(days.map(({ date, rush }) => [date, rush])).toEqual([
    ["2013-10-20", 4],
    ["2013-11-10", 2],
  ]);
  expect(busiestDeadlineDays(tables, 1)).toHaveLength(1);
});

test("a day has everything that was handed in on it and on the next; late is what came on a later day than its due day", () => {
  const [day] = busiestDeadlineDays(tables, 1);
  const seen = day?.handIns.map(({ assessment, student, day, late }) => [
    assessment.id_assessment,
    student,
    day,
    late,
  ]);
  expect(seen).toEqual([
    ["a", "1", 0, false],
    ["a", "2", 0, false],
    ["a", "3", 0, false],
    ["b", "1", 0, false],
    ["e", "9", 0, false],
    ["a", "4", 1, true],
    ["c", "2", 1, true],
    ["d", "3", 1, false],
  ]);
});

test("compressed, what was late comes after its due time, and what was not before", () => {
  const [day] = busiestDeadlineDays(tables, 1);
  if (!day) throw new Error("there is no day");
  const { sentAt, dueAt } = compress(day, 1_000_000, 60_000);
  for (const handIn of day.handIns) {
    const due = dueAt(handIn);
    expect(due !== null && sentAt(handIn) > due, handIn.assessment.id_assessment).toBe(handIn.late);
    expect(sentAt(handIn)).toBeGreaterThan(1_000_000);
    expect(sentAt(handIn)).toBeLessThan(1_060_000);
  }
});
