import { afterEach, expect, test, vi } from "vitest";
import { readSettings, SettingsError } from "./settings.ts";

afterEach(() => vi.unstubAllEnvs());

test("settings are read from the environment", () => {
  vi.stubEnv("NATS_URL", "nats://127.0.0.1:4222");
  expect(readSettings("NATS_URL")).toEqual({ NATS_URL: "nats://127.0.0.1:4222" });
});

test("everything that is missing or wrong is named at once", () => {
  vi.stubEnv("NATS_URL", "");
  vi.stubEnv("DATABASE_URL", "mysql://127.0.0.1/live");
  expect(() => readSettings("NATS_URL", "DATABASE_URL")).toThrow(SettingsError);
  expect(() => readSettings("NATS_URL", "DATABASE_URL")).toThrow(
    /NATS_URL is missing; DATABASE_URL must be an address/,
  );
});

test("a wrong secret is named, never shown", () => {
  vi.stubEnv("AUTH_SIGNING_KEYS", '[{"kty":"OKP","d":"very-secret"}]');
  vi.stubEnv("REFRESH_TOKEN_KEY", "very-secret");
  const read = () => readSettings("AUTH_SIGNING_KEYS", "REFRESH_TOKEN_KEY");
  expect(read).toThrow(/AUTH_SIGNING_KEYS .*; REFRESH_TOKEN_KEY /);
  expect(read).not.toThrow(/very-secret/);
});

const key = { kty: "OKP", crv: "Ed25519", x: "public", d: "private" };

test("keys may begin to sign one after another", () => {
  const keys = [
    { ...key, kid: "1" },
    { ...key, kid: "2", signsFrom: "2026-09-01T08:59:00.000Z" },
  ];
  vi.stubEnv("AUTH_SIGNING_KEYS", JSON.stringify(keys));
  expect(readSettings("AUTH_SIGNING_KEYS").AUTH_SIGNING_KEYS).toMatchObject(keys);
});

test.each([
  ["no JSON", "nonsense", "must be JSON"],
  ["one key alone", JSON.stringify({ ...key, kid: "1" }), "must be a list of keys"],
  ["no key", "[]", "must have a key"],
  [
    "two keys of one id",
    JSON.stringify([
      { ...key, kid: "1" },
      { ...key, kid: "1" },
    ]),
    "must not name a kid twice",
  ],
])("keys that are %s are refused", (_what, text, message) => {
  vi.stubEnv("RECEIPT_SIGNING_KEYS", text);
  expect(() => readSettings("RECEIPT_SIGNING_KEYS")).toThrow(`RECEIPT_SIGNING_KEYS ${message}`);
});
