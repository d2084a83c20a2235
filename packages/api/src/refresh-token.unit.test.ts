import { Buffer } from "node:buffer";
import { type Instant, SessionId } from "@carillon/domain";
import { expect, test } from "vitest";
import { decideRefresh, refreshTokens, twoTabsMs } from "./refresh-token.ts";

const sessionId = SessionId.parse("0192f3a4-5b6c-7d8e-9f01-23456789abcd");
const key = Buffer.alloc(32, 7).toString("base64url");
const tokens = refreshTokens(key);

test("a token reads as it was made, and is the same text each time", () => {
  const token = tokens.make({ sessionId, generation: 12 });
  expect(tokens.read(token)).toEqual({ sessionId, generation: 12 });
  expect(tokens.make({ sessionId, generation: 12 })).toBe(token);
  expect(tokens.make({ sessionId, generation: 13 })).not.toBe(token);
});

test("a token that we did not make is none", () => {
  const token = tokens.make({ sessionId, generation: 12 });
  const changed = Buffer.from(Buffer.from(token, "base64url").toString().replace(".12.", ".13."));
  const otherKey = refreshTokens(Buffer.alloc(32, 8).toString("base64url"));
  for (const forged of [
    "",
    "nonsense",
    token.slice(0, -4),
    changed.toString("base64url"),
    otherKey.make({ sessionId, generation: 12 }),
  ]) {
    expect(tokens.read(forged)).toBeUndefined();
  }
});

const at = (offsetMs: number) => new Date(Date.UTC(2026, 8, 1, 8, 59) + offsetMs).toISOString() as Instant;
const session = { generation: 5, rotatedAt: at(0) };

test.each([
  ["the newest token rotates, however old", 5, 86_400_000, "rotate"],
  ["the one before gives its successor again to a second tab", 4, twoTabsMs, "repeat"],
  ["the one before, used later, was stolen", 4, twoTabsMs + 1, "revoke"],
  ["an older one was stolen, also at once", 3, 0, "revoke"],
  ["one that the store forgot we gave goes on", 6, 0, "rotate"],
] as const)("%s", (_behaviour, generation, age, decision) => {
  expect(decideRefresh(session, generation, at(age))).toBe(decision);
});
