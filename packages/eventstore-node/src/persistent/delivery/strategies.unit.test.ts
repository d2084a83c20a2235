import { expect, test } from "vitest";
import type { StrategyName } from "../settings.ts";
import { createStrategy } from "./strategies.ts";

/** Consumers `a`, `b`, … with room for so many events, and what becomes of events with these keys. */
function share(strategyName: StrategyName, rooms: readonly number[], keys: readonly string[]): string {
  const strategy = createStrategy<Taker>(strategyName);
  const takers = rooms.map((room, index) => new Taker(String.fromCharCode(97 + index), room));
  for (const taker of takers) strategy.add(taker);
  return keys.map((key) => give(strategy.choose(() => key))).join(" ");
}

class Taker {
  readonly name: string;
  room: number;

  constructor(name: string, room: number) {
    this.name = name;
    this.room = room;
  }

  get canTake(): boolean {
    return this.room > 0;
  }
}

function give(choice: Taker | "busy" | "full"): string {
  if (typeof choice === "string") return choice;
  choice.room--;
  return choice.name;
}

const five = ["1", "2", "3", "4", "5"];

test("round robin takes turns and passes over a consumer without room", () => {
  expect(share("RoundRobin", [2, 1, 9], five)).toBe("a b c a c");
});

test("dispatch to single stays with the first as long as it has room", () => {
  expect(share("DispatchToSingle", [2, 1, 9], five)).toBe("a a b c c");
});

test.each(["RoundRobin", "DispatchToSingle", "Pinned"] as const)("%s says when there is no room", (name) => {
  expect(share(name, [], ["1"])).toBe("full");
  expect(share(name, [1], ["1", "2"])).toBe("a full");
});

test("pinned gives what belongs together to one consumer, and waits for it", () => {
  expect(share("Pinned", [2, 9], ["x", "y", "x", "x", "y"])).toBe("a b a busy b");
});

test("pinned moves the buckets of a consumer that leaves, and a fair share to one that comes", () => {
  const strategy = createStrategy<Taker>("Pinned");
  const [first, second, third] = [new Taker("a", 999), new Taker("b", 999), new Taker("c", 999)];
  const owners = () => five.map((key) => give(strategy.choose(() => key)));
  strategy.add(first);
  expect(new Set(owners())).toEqual(new Set(["a"]));
  strategy.add(second);
  expect(owners().filter((name) => name === "b")).toHaveLength(2);
  strategy.remove(first);
  strategy.add(third);
  const after = owners();
  expect(after).not.toContain("a");
  expect(after).toEqual(owners());
});
