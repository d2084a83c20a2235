import type { AnswerKey, AssignmentProfile } from "@carillon/domain";

const questionIds = ["q1", "q2", "q3", "q4", "q5", "q6", "q7", "q8", "q9", "q10"] as const;

const answerKey: AnswerKey = {
  questions: questionIds.map((id, index) =>
    index % 2 === 0
      ? { kind: "choice", id, correct: ["a"], points: 1 }
      : { kind: "number", id, value: 42, tolerance: 0.5, points: 1 },
  ),
};

/** An assignment that a program marks, of ten questions. */
export const quiz = (code: string): AssignmentProfile => ({
  code,
  title: `Quiz ${code}`,
  kind: "CMA",
  weight: 1,
  latePolicy: { kind: "accept" },
  graceSeconds: 0,
  counts: "last",
  answerKey,
});

const answers = Object.fromEntries(
  questionIds.map((id, index) => [id, index % 2 === 0 ? [index % 4 === 0 ? "a" : "b"] : 42]),
);

/** Answers to a quiz, `bytes` of them, that no other student has. `bytes` is at least 300. */
export function answersOf(name: string, bytes: number): Buffer {
  const begin = `{"answers":${JSON.stringify(answers)},"notes":"${name} `;
  return Buffer.from(`${begin.padEnd(bytes - 2, "All my own work. ")}"}`);
}
