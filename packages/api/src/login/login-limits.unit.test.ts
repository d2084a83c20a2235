import { tenantIdOf, userIdOf } from "@carillon/domain";
import { createMetrics } from "@carillon/platform";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type FailureCount, openLoginLimits } from "./login-limits.ts";

const tenantId = tenantIdOf("riverside-high");
const ada = { tenantId, userId: userIdOf(tenantId, "ada"), deviceId: undefined };
const onHerTablet = { ...ada, deviceId: "tablet" };
const right = async () => true;
const wrong = async () => false;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Limits over counts that are kept in a map. */
function limits() {
  const counts = new Map<string, FailureCount>();
  const bucket = {
    get: (key: string) => counts.get(key),
    async update(key: string, change: (count?: FailureCount) => FailureCount | undefined) {
      const count = change(counts.get(key));
      if (count) counts.set(key, count);
      else counts.delete(key);
      return count;
    },
  };
  return openLoginLimits(bucket, { metrics: createMetrics("test") });
}

/** Fails so many times. */
async function fail(
  opened: ReturnType<typeof limits>,
  times: number,
  guesser: typeof ada | typeof onHerTablet = ada,
) {
  const results = [];
  for (let index = 0; index < times; index++) results.push(await opened.attempt(guesser, wrong));
  return results;
}

test("the tenth failure locks, and says so; after it nothing is tried", async () => {
  const opened = limits();
  expect(await fail(opened, 10)).toEqual([...Array(9).fill("failed"), "locked"]);
  const tried = vi.fn(right);
  await expect(opened.attempt(ada, tried)).rejects.toMatchObject({
    code: "login_locked",
    wait: { retryAfterMs: 60_000, place: null },
  });
  expect(tried).not.toHaveBeenCalled();
});

test("one failure is forgotten a minute", async () => {
  const opened = limits();
  await fail(opened, 10);
  vi.advanceTimersByTime(59_000);
  await expect(opened.attempt(ada, right)).rejects.toMatchObject({ wait: { retryAfterMs: 1_000 } });
  vi.advanceTimersByTime(1_000);
  expect(await opened.attempt(ada, wrong)).toBe("locked");
  vi.advanceTimersByTime(60_000);
  expect(await opened.attempt(ada, right)).toBe("passed");
});

test("guesses side by side count while they run", async () => {
  const opened = limits();
  let tried = 0;
  const slowly = async () => {
    tried++;
    await Promise.resolve();
    return false;
  };
  const results = await Promise.allSettled(Array.from({ length: 50 }, () => opened.attempt(ada, slowly)));
  expect(tried).toBe(10);
  expect(results.filter(({ status }) => status === "rejected")).toHaveLength(40);
});

test("a login that passes begins anew, and what could not be checked does not count", async () => {
  const opened = limits();
  await fail(opened, 9);
  const broken = () => Promise.reject(new Error("no answer"));
  for (let index = 0; index < 20; index++)
    await expect(opened.attempt(ada, broken)).rejects.toThrow("no answer");
  expect(await opened.attempt(ada, right)).toBe("passed");
  expect(await fail(opened, 10)).toEqual([...Array(9).fill("failed"), "locked"]);
});

test("a known device, another person and another school have counts of their own", async () => {
  const opened = limits();
  await fail(opened, 10);
  const elsewhere = tenantIdOf("hillside-high");
  for (const other of [
    onHerTablet,
    { ...ada, userId: userIdOf(tenantId, "bob") },
    { ...ada, tenantId: elsewhere, userId: userIdOf(elsewhere, "ada") },
  ]) {
    expect(await opened.attempt(other, right)).toBe("passed");
  }
  await expect(opened.attempt(ada, right)).rejects.toMatchObject({ code: "login_locked" });
  await fail(opened, 10, onHerTablet);
  await expect(opened.attempt(onHerTablet, right)).rejects.toMatchObject({ code: "login_locked" });
});
