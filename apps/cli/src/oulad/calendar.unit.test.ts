import { isLate } from "@carillon/domain";
import { expect, test } from "vitest";
import { duringDay, endOfDay, firstDay } from "./calendar.ts";

test("J starts on 1 October and B on 1 February of its year", () => {
  expect(firstDay("2013J")).toBe("2013-10-01");
  expect(firstDay("2014B")).toBe("2014-02-01");
  expect(duringDay("2013J", 0)).toBe("2013-10-01T12:00:00.000Z");
});

test("days count on over months, and back before the first", () => {
  expect(duringDay("2014B", 28)).toBe("2014-03-01T12:00:00.000Z");
  expect(duringDay("2013J", -1)).toBe("2013-09-30T12:00:00.000Z");
});

test("a due day ends at 23:59:59: its own day is in time, the next is late", () => {
  expect(endOfDay("2013J", 19)).toBe("2013-10-20T23:59:59.000Z");
  expect(isLate(duringDay("2013J", 19), endOfDay("2013J", 19))).toBe(false);
  expect(isLate(duringDay("2013J", 20), endOfDay("2013J", 19))).toBe(true);
});
