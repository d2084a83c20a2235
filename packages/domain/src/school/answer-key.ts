import { z } from "zod";

const QuestionId = z.string().trim().min(1).max(64);
const Points = z.number().positive().max(1_000);

/** A question that a program can mark. */
export const Question = z.discriminatedUnion("kind", [
  /** Right when exactly the `correct` options are chosen. */
  z.object({
    kind: z.literal("choice"),
    id: QuestionId,
    correct: z.array(z.string().min(1).max(200)).min(1).max(50),
    points: Points,
  }),
  /** Right when the number is within `tolerance` of `value`. */
  z.object({
    kind: z.literal("number"),
    id: QuestionId,
    value: z.number(),
    tolerance: z.number().min(0),
    points: Points,
  }),
]);
export type Question = z.infer<typeof Question>;

/** The right answers of an assignment. Students never see it. */
export const AnswerKey = z.object({
  questions: z
    .array(Question)
    .min(1)
    .max(500)
    .refine((all) => new Set(all.map(({ id }) => id)).size === all.length, "give each question its own id"),
});
export type AnswerKey = z.infer<typeof AnswerKey>;

/** What a student hands in where there is an answer key: the chosen options, or a number, by the question's id. */
export const Answers = z.object({
  answers: z.record(z.string(), z.union([z.array(z.string()).max(50), z.string(), z.number()])),
});
export type Answers = z.infer<typeof Answers>;

/** Marks answers: the score from 0 to 100 and how many of the questions were right. */
export function mark(key: AnswerKey, { answers }: Answers): { score: number; right: number } {
  let points = 0;
  let right = 0;
  for (const question of key.questions) {
    if (!isRight(question, Object.hasOwn(answers, question.id) ? answers[question.id] : undefined)) continue;
    points += question.points;
    right++;
  }
  const possible = key.questions.reduce((sum, question) => sum + question.points, 0);
  return { score: (100 * points) / possible, right };
}

function isRight(question: Question, answer: Answers["answers"][string] | undefined): boolean {
  if (answer === undefined) return false;
  if (question.kind === "number") {
    const number = typeof answer === "string" && answer.trim() !== "" ? Number(answer) : answer;
    return typeof number === "number" && Math.abs(number - question.value) <= question.tolerance;
  }
  const chosen = new Set(Array.isArray(answer) ? answer : [String(answer)]);
  const correct = new Set(question.correct);
  return chosen.size === correct.size && [...correct].every((option) => chosen.has(option));
}
