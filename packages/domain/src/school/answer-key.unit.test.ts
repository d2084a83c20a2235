import { expect, test } from "vitest";
import { AnswerKey, Answers, mark } from "./answer-key.ts";

const key = AnswerKey.parse({
  questions: [
    { kind: "choice", id: "bell", correct: ["bronze", "iron"], points: 2 },
    { kind: "number", id: "hertz", value: 440, tolerance: 0.5, points: 1 },
    { kind: "choice", id: "year", correct: ["1386"], points: 1 },
  ],
});
const marked = (answers: unknown) => mark(key, Answers.parse({ answers }));

test("answers are marked by their points", () => {
  expect(marked({ bell: ["iron", "bronze"], hertz: 440.5, year: "1386" })).toEqual({ score: 100, right: 3 });
  expect(marked({ bell: ["bronze", "iron", "bronze"] })).toEqual({ score: 50, right: 1 });
  expect(marked({ hertz: "439.5" })).toEqual({ score: 25, right: 1 });
});

test.each([
  ["nothing", {}],
  ["one option too few", { bell: ["bronze"] }],
  ["one option too many", { bell: ["bronze", "iron", "gold"] }],
  ["a number that is just outside", { hertz: 440.51 }],
  ["a text that is no number", { hertz: "about 440" }],
  ["an empty text for a number", { hertz: " " }],
  ["a question that objects have by nature", { constructor: ["1386"] }],
])("%s is worth nothing", (_what, answers) => {
  expect(marked(answers)).toEqual({ score: 0, right: 0 });
});

test("a key has questions, each with an id of its own", () => {
  const [first] = key.questions;
  expect(AnswerKey.safeParse({ questions: [] }).success).toBe(false);
  expect(AnswerKey.safeParse({ questions: [first, first] }).success).toBe(false);
});
