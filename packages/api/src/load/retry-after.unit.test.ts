import { TenantId } from "@carillon/domain";
import { expect, test } from "vitest";
import { longestWaitMs, retryAfterTimes } from "./retry-after.ts";

const tenant = (name: string) => TenantId.parse(`00000000-0000-7000-8000-${name.padStart(12, "0")}`);
const [big, small] = [tenant("b"), tenant("5")];
const now = Date.UTC(2026, 8, 1, 8, 59);
const full = { slotMs: 10, length: 200, ownLength: 200, tenants: 1 };

test("those that are shed try again one after the other, while half of the queue still waits", () => {
  const shed = retryAfterTimes();
  const waits = Array.from({ length: 100 }, () => shed(big, full, now));
  expect(waits.map(({ retryAfterMs }) => retryAfterMs)).toEqual(
    Array.from({ length: 100 }, (_, i) => 1_000 + 10 * (i + 1)),
  );
  expect(waits.map(({ place }) => place)).toEqual(Array.from({ length: 100 }, (_, i) => 101 + i));
});

test("places come free as time passes", () => {
  const shed = retryAfterTimes();
  for (let i = 0; i < 1_000; i++) shed(big, full, now);
  expect(shed(big, full, now)).toMatchObject({ retryAfterMs: 11_010 });
  expect(shed(big, full, now + 5_000)).toMatchObject({ retryAfterMs: 6_020 });
  expect(shed(big, full, now + 60_000)).toMatchObject({ retryAfterMs: 1_010 });
});

test("a school that has few people away does not wait behind the thousands of another", () => {
  const shed = retryAfterTimes();
  for (let i = 0; i < 10_000; i++) shed(big, full, now);
  const both = { ...full, ownLength: 100, tenants: 2 };
  const waits = Array.from({ length: 50 }, () => shed(small, both, now).retryAfterMs);
  expect(Math.max(...waits)).toBeLessThanOrEqual(1_000 + 50 * 20);
  expect(shed(big, both, now).retryAfterMs).toBeGreaterThanOrEqual(longestWaitMs / 2);
});

test("with two schools the places of both together are given out at the whole rate", () => {
  const shed = retryAfterTimes();
  const both = { ...full, ownLength: 100, tenants: 2 };
  const waits = Array.from({ length: 1_000 }, (_, i) => shed(i % 2 ? big : small, both, now).retryAfterMs);
  expect(Math.max(...waits)).toBeLessThanOrEqual(1_000 + 1_000 * 10 + 20);
});

test("a client that asks again and again makes nobody wait longer than the longest wait, nor all for the same moment", () => {
  const shed = retryAfterTimes();
  for (let i = 0; i < 100_000; i++) shed(big, full, now);
  const waits = Array.from({ length: 100 }, () => shed(big, full, now).retryAfterMs);
  expect(Math.max(...waits)).toBeLessThanOrEqual(longestWaitMs);
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(longestWaitMs / 2);
  expect(new Set(waits).size).toBeGreaterThan(90);
});
