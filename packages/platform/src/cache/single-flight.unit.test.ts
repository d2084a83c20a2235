import { expect, test } from "vitest";
import { type SingleFlightOptions, singleFlight } from "./single-flight.ts";

const long = 60_000;

/** Calls that answer when they are told to, and how many were made. */
function callsWith(options: Partial<SingleFlightOptions>) {
  const ask = singleFlight<string>({ max: 10, joinMs: long, ...options });
  const made: PromiseWithResolvers<string>[] = [];
  const question = (name: string) =>
    ask(name, () => {
      const call = Promise.withResolvers<string>();
      made.push(call);
      return call.promise;
    });
  return { ask: question, made };
}

test("one call is made for all that ask the same while it is under way and afterwards", async () => {
  const { ask, made } = callsWith({});
  const both = [ask("same"), ask("same")];
  const other = ask("other");
  expect(made).toHaveLength(2);
  made[0]?.resolve("first");
  made[1]?.resolve("second");
  expect(await Promise.all([...both, other])).toEqual(["first", "first", "second"]);
  expect(await ask("same")).toBe("first");
  expect(made).toHaveLength(2);
});

test("a caller that waits for a call that fails hears so, and the next to ask makes it anew", async () => {
  const { ask, made } = callsWith({});
  const both = [ask("same"), ask("same")];
  made[0]?.reject(new Error("away"));
  await Promise.all(both.map((one) => expect(one).rejects.toThrow("away")));
  const again = ask("same");
  made[1]?.resolve("there");
  expect(await again).toBe("there");
  expect(made).toHaveLength(2);
});

test("nobody waits for a call that hangs, and its late failure does not undo what came after it", async () => {
  const { ask, made } = callsWith({ joinMs: 0 });
  const hanging = ask("same");
  const second = ask("same");
  made[1]?.resolve("there");
  expect(await second).toBe("there");
  made[0]?.reject(new Error("away"));
  await expect(hanging).rejects.toThrow("away");
  expect(await ask("same")).toBe("there");
  expect(made).toHaveLength(2);
});

test("an answer is given for as long as it is kept", async () => {
  const { ask, made } = callsWith({ keptMs: 0 });
  const first = ask("same");
  made[0]?.resolve("old");
  expect(await first).toBe("old");
  const second = ask("same");
  made[1]?.resolve("new");
  expect(await second).toBe("new");
});

test("beyond its bound the oldest is forgotten", async () => {
  const { ask, made } = callsWith({ max: 2 });
  for (const name of ["a", "b", "c"]) ask(name);
  for (const call of made) call.resolve("there");
  await Promise.all([ask("b"), ask("c")]);
  expect(made).toHaveLength(3);
  ask("a");
  expect(made).toHaveLength(4);
});
