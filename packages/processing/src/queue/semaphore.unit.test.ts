import { expect, test } from "vitest";
import { createSemaphore } from "./semaphore.ts";

test("places are given in the order in which they were asked for", async () => {
  const slots = createSemaphore(1);
  await slots.take();
  const order: number[] = [];
  const asked = [1, 2, 3].map((who) => slots.take().then(() => order.push(who)));
  expect(order).toEqual([]);
  for (const one of asked) {
    slots.free();
    await one;
  }
  expect(order).toEqual([1, 2, 3]);
});

test("it is idle only when every place is free and the line is empty", async () => {
  const slots = createSemaphore(2);
  await Promise.all([slots.take(), slots.take()]);
  const waiting = slots.take();
  let idle = false;
  const ended = slots.idle().then(() => {
    idle = true;
  });
  slots.free();
  await waiting;
  slots.free();
  expect(idle).toBe(false);
  slots.free();
  await ended;
  await slots.idle();
});
