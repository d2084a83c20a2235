import { Buffer } from "node:buffer";
import { type Instant, SessionId, tenantIdOf, userIdOf } from "@carillon/domain";
import { expect, test } from "vitest";
import { decideRefresh, refreshTokens, twoTabsMs } from "./refresh-token.ts";

const sessionId = SessionId.parse("0192f3a4-5b6c-7d8e-9f01-23456789abcd");
const tenantId = tenantIdOf("riverside-high");
const ref = { tenantId, userId: userIdOf(tenantId, "ada"), sessionId };
const key = Buffer.alloc(32, 7).toString("base64url");
const tokens = refreshTokens(key);

const claims = {
  ...ref,
  session: {
    generation: 12,
    rotatedAt: "2026-09-01T08:59:00.000Z" as Instant,
    roles: ["student" as const],
    region: "eu-west",
  },
  revision: 345,
};

test("a token reads as it was made, and is the same text each time", () => {
  const token = tokens.make(claims);
  expect(tokens.read(token)).toEqual(claims);
  expect(tokens.make(claims)).toBe(token);
  expect(tokens.make({ ...claims, revision: 346 })).not.toBe(token);
});

test("a token that we did not make is none", () => {
  const token = tokens.make(claims);
  const [, signature] = token.split(".");
  const changed = Buffer.from(JSON.stringify({ ...claims, revision: 346 })).toString("base64url");
  const otherKey = refreshTokens(Buffer.alloc(32, 8).toString("base64url"));
  for (const forged of [
    "",
    ".",
    "nonsense",
    token.slice(0, -4),
    `${token}.`,
    `${changed}.${signature}`,
    otherKey.make(claims),
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
