import { Buffer } from "node:buffer";
import { type Instant, SessionId, tenantIdOf, userIdOf } from "@carillon/domain";
import { expect, test } from "vitest";
import { refreshTokens } from "./refresh-token.ts";

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
