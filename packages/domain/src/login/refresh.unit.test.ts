import { expect, test } from "vitest";
import type { Role } from "../school/person.ts";
import type { Instant } from "../time.ts";
import { decideRefresh, twoTabsMs } from "./refresh.ts";

const at = (offsetMs: number) => new Date(Date.UTC(2026, 8, 1, 8, 59) + offsetMs).toISOString() as Instant;

/** Given a session whose fifth token took the place of the fourth at `at(0)`, when a token is used, this follows. */
const givenFiveTokens = {
  when: (generation: number, afterMs: number, roles: Role[] = ["student"]) =>
    decideRefresh(
      { generation: 5, rotatedAt: at(0), roles: ["student"], region: "eu-west" },
      generation,
      roles,
      at(afterMs),
    ),
};

test.each([
  ["the newest token rotates, however old", 5, 86_400_000, "rotate"],
  ["the one before gives its successor again to a second tab", 4, twoTabsMs, "repeat"],
  ["the one before, used later, was stolen", 4, twoTabsMs + 1, "revoke"],
  ["an older one was stolen, also at once", 3, 0, "revoke"],
  ["one that the store forgot we gave goes on", 6, 0, "rotate"],
] as const)("%s", (_behaviour, generation, age, kind) => {
  expect(givenFiveTokens.when(generation, age)).toMatchObject({ kind });
});

test("what takes its place has the next number, the time, and the roles that its owner has now", () => {
  expect(givenFiveTokens.when(5, 60_000, ["teacher"])).toEqual({
    kind: "rotate",
    next: { generation: 6, rotatedAt: at(60_000), roles: ["teacher"], region: "eu-west" },
  });
  expect(givenFiveTokens.when(6, 0)).toMatchObject({ next: { generation: 7 } });
});
