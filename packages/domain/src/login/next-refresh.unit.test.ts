import fc from "fast-check";
import { expect, test } from "vitest";
import type { BellTime } from "../school/tenant.ts";
import { type Instant, instantOf } from "../time.ts";
import { nextRefresh } from "./next-refresh.ts";

const everyDay = [1, 2, 3, 4, 5, 6, 7];
const london = (...times: string[]) => ({
  timeZone: "Europe/London",
  bellTimes: times.map((time): BellTime => ({ time, days: everyDay })),
});
const second = 1_000;
const bell = Date.parse("2026-11-23T08:59:00.000Z");
const after = (issued: number, bells: Parameters<typeof nextRefresh>[1], random: number) =>
  Date.parse(nextRefresh(instantOf(new Date(issued)), bells, random));

const moments = fc.integer({ min: -1_200 * second, max: 300 * second }).map((offset) => bell + offset);
const randoms = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test("ordinarily a token is renewed after 60 to 85 % of its life", () => {
  const now = "2026-11-23T12:00:00.000Z" as Instant;
  expect(nextRefresh(now, london("08:59"), 0)).toBe("2026-11-23T12:06:00.000Z");
  expect(nextRefresh(now, london("08:59"), 0.5)).toBe("2026-11-23T12:07:15.000Z");
  fc.assert(
    fc.property(randoms, (random) => {
      const life = after(Date.parse(now), london(), random) - Date.parse(now);
      expect(life).toBeGreaterThanOrEqual(360 * second);
      expect(life).toBeLessThan(510 * second);
    }),
  );
});

test("nobody renews from a minute before a bell until two minutes after it", () => {
  fc.assert(
    fc.property(moments, randoms, (issued, random) => {
      const next = after(issued, london("08:59"), random);
      expect(next).toBeGreaterThanOrEqual(issued);
      expect(next).toBeLessThan(issued + 510 * second);
      expect(next < bell - 60 * second || next >= bell + 120 * second).toBe(true);
    }),
  );
});

test("a client that renews when it is told holds a token at the bell that is at most four minutes old", () => {
  fc.assert(
    fc.property(moments, fc.infiniteStream(randoms), (began, random) => {
      fc.pre(began < bell - 60 * second);
      let issued = began;
      for (let next = issued; next < bell; next = after(issued, london("08:59"), random.next().value)) {
        issued = next;
      }
      expect(bell - issued).toBeLessThanOrEqual(240 * second);
    }),
  );
});

test("those who renew before a bell are spread evenly", () => {
  const bySpan = new Array<number>(6).fill(0);
  let state = 1;
  const random = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  for (let client = 0; client < 20_000; client++) {
    // Awake since long before: the last ordinary renewal was at any moment.
    let at = bell - 1_800 * second - random() * 510 * second;
    while (at < bell - 240 * second) at = after(at, london("08:59"), random());
    const span = Math.floor((at - (bell - 240 * second)) / (30 * second));
    if (span < 6) bySpan[span] = (bySpan[span] ?? 0) + 1;
  }
  const mean = bySpan.reduce((sum, count) => sum + count, 0) / 6;
  expect(mean).toBeGreaterThan(3_000);
  for (const count of bySpan) expect(Math.abs(count - mean)).toBeLessThan(0.2 * mean);
});

test("two bells that are five minutes apart are both left alone", () => {
  fc.assert(
    fc.property(moments, randoms, (issued, random) => {
      const next = after(issued, london("08:59", "09:04"), random);
      for (const ringing of [bell, bell + 300 * second]) {
        expect(next < ringing - 60 * second || next >= ringing + 120 * second).toBe(true);
      }
    }),
  );
});

test("where bells ring all the time, a token is renewed at the ordinary time", () => {
  const times = Array.from({ length: 30 }, (_, index) => `09:${String(2 * index).padStart(2, "0")}`);
  const issued = Date.parse("2026-11-23T09:20:00.000Z");
  expect(after(issued, london(...times), 0)).toBe(issued + 360 * second);
});
