import { expect, test } from "vitest";
import { instantOf } from "../time.ts";
import { bellsBetween } from "./bells.ts";
import type { BellTime } from "./tenant.ts";

const everyDay = [1, 2, 3, 4, 5, 6, 7];
const london = (...times: string[]) => ({
  timeZone: "Europe/London",
  bellTimes: times.map((time): BellTime => ({ time, days: everyDay })),
});

test("a bell rings by the clock of the school, in summer and in winter", () => {
  const ringing = (day: string, timeZone = "Europe/London") =>
    bellsBetween(
      { ...london("08:59"), timeZone },
      Date.parse(`${day}T00:00:00Z`),
      Date.parse(`${day}T23:59:59Z`),
    ).map((at) => instantOf(new Date(at)).slice(11, 16));
  expect(ringing("2026-07-01")).toEqual(["07:59"]);
  expect(ringing("2026-12-01")).toEqual(["08:59"]);
  // The clocks were changed in the night before.
  expect(ringing("2026-10-25")).toEqual(["08:59"]);
  expect(ringing("2026-03-29")).toEqual(["07:59"]);
  expect(ringing("2026-12-01", "Asia/Kathmandu")).toEqual(["03:14"]);
});

test("in the night of the change a bell rings as often as the clock shows its time", () => {
  const ringing = (day: string) =>
    bellsBetween(london("01:30"), Date.parse(`${day}T00:00:00Z`), Date.parse(`${day}T12:00:00Z`)).length;
  expect(ringing("2026-10-25")).toBe(2);
  expect(ringing("2026-03-29")).toBe(0);
});

test("a bell rings on its days only, counted by the school's calendar", () => {
  const monday = { timeZone: "Pacific/Auckland", bellTimes: [{ time: "08:30", days: [1] }] };
  const found = bellsBetween(monday, Date.parse("2026-11-20T00:00:00Z"), Date.parse("2026-11-28T00:00:00Z"));
  // Monday the 23rd in Auckland is still Sunday in UTC.
  expect(found.map((at) => instantOf(new Date(at)))).toEqual(["2026-11-22T19:30:00.000Z"]);
});
