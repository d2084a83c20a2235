import type { Instant } from "@carillon/domain";
import { expect, test } from "vitest";
import { type SigningKey, signingKeys } from "./signing-keys.ts";

const start = Date.UTC(2026, 8, 1, 8, 59);
const at = (seconds: number) => new Date(start + seconds * 1_000);
const key = (kid: string, signsFrom?: number): SigningKey => ({
  kty: "OKP",
  crv: "Ed25519",
  x: `public ${kid}`,
  d: "private",
  kid,
  ...(signsFrom !== undefined && { signsFrom: at(signsFrom).toISOString() as Instant }),
});

const keys = signingKeys([key("third", 7_200), key("first"), key("second", 60)], 600);

test("a new key signs from its time on, not before", () => {
  expect([at(59), at(60), at(7_199), at(7_200)].map((now) => keys.current(now).kid)).toEqual([
    "first",
    "second",
    "second",
    "third",
  ]);
});

test("a key is published before it signs and until its last signature is worth nothing", () => {
  const published = (seconds: number) => keys.published(at(seconds)).map(({ kid }) => kid);
  expect(published(0)).toEqual(["first", "second", "third"]);
  expect(published(659)).toEqual(["first", "second", "third"]);
  expect(published(660)).toEqual(["second", "third"]);
  expect(published(8_000)).toEqual(["third"]);
});

test("nothing private is published", () => {
  expect(JSON.stringify(keys.published(at(0)))).not.toContain("private");
});

test("keys whose signatures hold for ever are published for ever", () => {
  expect(signingKeys([key("first"), key("second", 60)]).published(at(1e9))).toHaveLength(2);
});

test("of keys without a time the last signs, and where none has begun, the first to begin", () => {
  expect(signingKeys([key("1"), key("2")]).current(at(0)).kid).toBe("2");
  expect(signingKeys([key("late", 90), key("soon", 60)]).current(at(0)).kid).toBe("soon");
});
