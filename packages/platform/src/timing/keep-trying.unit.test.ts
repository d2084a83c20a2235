import { expect, test } from "vitest";
import { keepTrying } from "./keep-trying.ts";

test("work that ends or fails begins again until it is aborted, and only failures are told", async () => {
  const controller = new AbortController();
  const told: unknown[] = [];
  let tries = 0;
  await keepTrying(
    async () => {
      tries++;
      if (tries === 2) throw new Error("lost");
      if (tries < 4) return;
      controller.abort();
      throw new Error("aborted");
    },
    { signal: controller.signal, pauseMs: 0, failed: (error) => told.push(error) },
  );
  expect(tries).toBe(4);
  expect(told).toEqual([new Error("lost")]);
});

test("the try that is under way is waited for, and the pause after it is not", async () => {
  const controller = new AbortController();
  const finished = Promise.withResolvers<void>();
  const trying = keepTrying(() => finished.promise, { signal: controller.signal, pauseMs: 1_000_000 });
  controller.abort();
  expect(await Promise.race([trying.then(() => "ended"), Promise.resolve("under way")])).toBe("under way");
  finished.resolve();
  await trying;
});

test("nothing is tried where it was aborted before", async () => {
  await keepTrying(() => expect.unreachable(), { signal: AbortSignal.abort(), pauseMs: 0 });
});
