import { expect, expectTypeOf, test } from "vitest";
import { pause, within } from "./within.ts";

const never = new Promise<never>(() => {});

test("what comes in time is given, also a rejection", async () => {
  expect(await within(60_000, Promise.resolve("here"))).toBe("here");
  await expect(within(60_000, Promise.reject(new Error("broken")))).rejects.toThrow("broken");
});

test("what comes too late is an error, or whatever is given in its place", async () => {
  await expect(within(1, never)).rejects.toThrow("no answer within 1 ms");
  const given = await within(1, never as Promise<string>, () => undefined);
  expect(given).toBeUndefined();
  expectTypeOf(given).toEqualTypeOf<string | undefined>();
  const thrown = within(1, never, () => {
    throw new TypeError("too late");
  });
  await expect(thrown).rejects.toThrow(TypeError);
});

test("a pause ends when its signal aborts", async () => {
  const controller = new AbortController();
  const paused = pause(1_000_000, controller.signal);
  controller.abort();
  await paused;
  await pause(1_000_000, controller.signal);
});
