import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import { expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { signedTokens } from "./signed-token.ts";

const keyOf = (byte: number) => Buffer.alloc(32, byte).toString("base64url");
const schema = z.object({ room: z.string().nullable(), seats: z.array(z.int()) });
const claims = { room: "Aula", seats: [1, 2] };
const tokensOf = (purpose: string, ...keys: string[]) => signedTokens(schema, { purpose, keys });
const tokens = tokensOf("ticket", keyOf(1));
const now = new Date("2026-09-01T08:59:00Z");
const later = (milliseconds: number) => new Date(now.getTime() + milliseconds);

test("a token reads as it was made, is the same text each time, and is safe in a URL", () => {
  const token = tokens.make(claims);
  const read = tokens.read(token);
  expect(read).toEqual(claims);
  expectTypeOf(read).toEqualTypeOf<{ room: string | null; seats: number[] } | undefined>();
  expect(tokens.make({ seats: [1, 2], room: "Aula" })).toBe(token);
  expect(token).toMatch(/^[A-Za-z0-9._-]+$/);
  expect(tokens.read(tokens.make({ room: null, seats: [] }))).toEqual({ room: null, seats: [] });
});

test("no letter of a token can be changed, added or left out", () => {
  const token = tokens.make(claims, later(1_000));
  for (let at = 0; at < token.length; at++) {
    for (const other of ["A", "B", ".", "", `${token[at]}=`]) {
      const changed = token.slice(0, at) + other + token.slice(at + 1);
      if (changed !== token) expect(tokens.read(changed, now)).toBeUndefined();
    }
  }
  for (const nonsense of ["", ".", "nonsense", `${token}.`, `.${token}`, ` ${token}`, `${token}\n`]) {
    expect(tokens.read(nonsense, now)).toBeUndefined();
  }
});

test("a token of one purpose is none of another, and the key itself makes none", () => {
  expect(tokensOf("voucher", keyOf(1)).read(tokens.make(claims))).toBeUndefined();
  const [payload = ""] = tokens.make(claims).split(".");
  const signature = createHmac("sha256", Buffer.alloc(32, 1)).update(payload).digest("base64url");
  expect(tokens.read(`${payload}.${signature}`)).toBeUndefined();
});

test("a token is known from when it is made until it expires", () => {
  const token = tokens.make(claims, later(1_000));
  expect(tokens.read(token, later(999))).toEqual(claims);
  expect(tokens.read(token, later(1_000))).toBeUndefined();
  expect(tokens.read(tokens.make(claims), later(100 * 365 * 86_400_000))).toEqual(claims);
});

test("workers know each other's tokens while a key is added, and nobody else's", () => {
  const [old, next] = [keyOf(1), keyOf(2)];
  expect(tokensOf("ticket", old).read(tokensOf("ticket", old, next).make(claims))).toEqual(claims);
  expect(tokensOf("ticket", next, old).read(tokens.make(claims))).toEqual(claims);
  expect(tokensOf("ticket", next).read(tokens.make(claims))).toBeUndefined();
  expect(() => tokensOf("ticket")).toThrow('no key for tokens of the purpose "ticket"');
});

test("claims of another shape are refused, as those of an earlier version", () => {
  const earlier = signedTokens(z.object({ room: z.string(), seats: z.string() }), {
    purpose: "ticket",
    keys: [keyOf(1)],
  });
  expect(tokens.read(earlier.make({ room: "Aula", seats: "1" }))).toBeUndefined();
});
