import { TenantId } from "@carillon/domain";
import fc from "fast-check";
import { expect, test } from "vitest";
import { fairQueue } from "./fair-queue.ts";

const tenant = (name: string) => TenantId.parse(`00000000-0000-7000-8000-${name.padStart(12, "0")}`);
const [a, b, c] = [tenant("a"), tenant("b"), tenant("c")];
const room = 1_000;

const takeAll = (queue: ReturnType<typeof fairQueue<string>>, cost = 1) => {
  const taken: string[] = [];
  for (let job = queue.take(cost); job !== undefined; job = queue.take(cost)) taken.push(job);
  return taken.join(" ");
};

test("tenants take turns, and each one's jobs keep their order", () => {
  const queue = fairQueue<string>();
  for (const job of ["a1", "a2", "a3", "a4"]) queue.add(a, job, room);
  for (const job of ["b1", "b2"]) queue.add(b, job, room);
  expect(takeAll(queue)).toBe("a1 b1 a2 b2 a3 a4");
});

test("a newcomer is next, and has no claim on the time before they came", () => {
  const queue = fairQueue<string>();
  for (let i = 1; i <= 9; i++) queue.add(a, `a${i}`, room);
  for (let i = 1; i <= 5; i++) queue.take(1);
  for (let i = 1; i <= 4; i++) queue.add(b, `b${i}`, room);
  expect(takeAll(queue)).toMatch(/^(a6 )?b1 a\d b2 a\d b3 a\d b4/);
});

test("a tenant whose jobs cost ten times as much gets the same share of the time, not of the turns", () => {
  const queue = fairQueue<string>();
  for (let i = 0; i < 100; i++) {
    queue.add(a, "a", room);
    queue.add(b, "b", room);
  }
  const spent = { a: 0, b: 0 };
  for (let i = 0; i < 100; i++) {
    const job = queue.take(1) as "a" | "b";
    const cost = job === "a" ? 10 : 1;
    queue.charge(job === "a" ? a : b, cost - 1);
    spent[job] += cost;
  }
  expect(Math.abs(spent.a - spent.b)).toBeLessThanOrEqual(10);
});

test("one tenant may fill the room; a newcomer then takes the place of its newest", () => {
  const queue = fairQueue<string>();
  for (const job of ["a1", "a2", "a3", "a4"]) expect(queue.add(a, job, 4)).toBeUndefined();
  expect(queue.add(a, "a5", 4)).toBe("a5");
  expect(queue.add(b, "b1", 4)).toBe("a4");
  expect(queue.add(b, "b2", 4)).toBe("a3");
  expect(queue.add(b, "b3", 4)).toBe("b3");
  expect(queue.add(c, "c1", 4)).toBe("a2");
  expect(queue.add(c, "c2", 4)).toBe("c2");
  expect(takeAll(queue)).toBe("a1 b1 c1 b2");
});

test("what was put back is first in its line again", () => {
  const queue = fairQueue<string>();
  for (const job of ["a1", "a2"]) queue.add(a, job, room);
  expect(queue.take(5)).toBe("a1");
  queue.putBack(a, "a1", 5);
  expect(queue.length()).toBe(2);
  expect(takeAll(queue)).toBe("a1 a2");
});

test("whatever comes and goes, nothing is lost, nothing is doubled, and no more wait than may", () => {
  const step = fc.oneof(
    fc.record({ type: fc.constant("add" as const), tenant: fc.constantFrom(a, b, c) }),
    fc.record({ type: fc.constant("take" as const), cost: fc.integer({ min: 1, max: 50 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 8 }), (steps, capacity) => {
      const queue = fairQueue<number>();
      const waiting = new Set<number>();
      for (const [id, step] of steps.entries()) {
        if (step.type === "add") {
          waiting.add(id);
          const left = queue.add(step.tenant, id, capacity);
          if (left !== undefined) expect(waiting.delete(left)).toBe(true);
        } else {
          const job = queue.take(step.cost);
          if (job === undefined) expect(waiting.size).toBe(0);
          else expect(waiting.delete(job)).toBe(true);
        }
        expect(queue.length()).toBe(waiting.size);
        expect(queue.length()).toBeLessThanOrEqual(capacity);
        const lines = [a, b, c].map((id) => queue.lengthOf(id));
        expect(lines.reduce((x, y) => x + y)).toBe(waiting.size);
        expect(queue.tenants()).toBe(lines.filter((length) => length > 0).length);
      }
    }),
  );
});
