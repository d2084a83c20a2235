import { expect, test } from "vitest";
import { given } from "../testing.ts";
import { type ClassEvent, ClassProfile, classDecider } from "./class.ts";

const profile = ClassProfile.parse({
  code: "AAA-2013J",
  title: "Bells",
  startsOn: "2013-10-01",
  lengthDays: 268,
});
const opened: ClassEvent = { type: "ClassOpened", data: profile };

test("a class is opened once, and said again changes nothing", () => {
  expect(given(classDecider, []).when({ type: "OpenClass", profile })).toEqual([opened]);
  expect(given(classDecider, [opened]).when({ type: "OpenClass", profile })).toEqual([]);
});

test("a class code belongs to the class that came first", () => {
  const other = { ...profile, lengthDays: 7 };
  expect(given(classDecider, [opened]).when({ type: "OpenClass", profile: other })).toMatchObject({
    code: "class_code_taken",
  });
});

test("a class starts on a day of the calendar", () => {
  expect(ClassProfile.safeParse({ ...profile, startsOn: "2013-02-30" }).success).toBe(false);
});
