import { expect, test } from "vitest";
import { longestTurnMs, paceBytesPerSecond, uploadPace } from "./upload-pace.ts";

function paceAt(now: number) {
  const clock = { now };
  return { clock, pace: uploadPace(() => clock.now) };
}

test("a client that comes when nothing is under way, or little, begins at once", () => {
  const { pace } = paceAt(5_000);
  expect(pace.promise(200_000_000)).toBe(0);
  const busy = paceAt(5_000);
  for (let n = 0; n < 100; n++) expect(busy.pace.promise(paceBytesPerSecond / 100)).toBe(0);
});

test("many are spread out at the pace, in the order in which they came", () => {
  const { pace } = paceAt(0);
  const waits = Array.from({ length: 10 }, () => pace.promise(paceBytesPerSecond * 2));
  expect(waits).toEqual([0, 1, 3, 5, 7, 9, 11, 13, 15, 17].map((seconds) => seconds * 1_000));
});

test("turns end with time, and asking takes none", () => {
  const { clock, pace } = paceAt(0);
  for (let n = 0; n < 10; n++) pace.promise(paceBytesPerSecond);
  expect([pace.wait(), pace.wait()]).toEqual([9_000, 9_000]);
  clock.now = 4_000;
  expect(pace.wait()).toBe(5_000);
  clock.now = 1_000_000;
  expect(pace.promise(paceBytesPerSecond)).toBe(0);
});

test("nobody waits for ever, and the queue ends when its reason has", () => {
  const { clock, pace } = paceAt(0);
  for (let n = 0; n < 10_000; n++) pace.promise(paceBytesPerSecond);
  expect(pace.promise(1)).toBe(longestTurnMs);
  clock.now = longestTurnMs + 2_000;
  expect(pace.promise(1)).toBe(0);
});
