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
  vi.stubEnv("AUTH_SIGNING_KEY", '{"kty":"OKP","d":"very-secret"}');
  vi.stubEnv("REFRESH_TOKEN_KEY", "very-secret");
  const read = () => readSettings("AUTH_SIGNING_KEY", "REFRESH_TOKEN_KEY");
  expect(read).toThrow(/AUTH_SIGNING_KEY .*; REFRESH_TOKEN_KEY /);
  expect(read).not.toThrow(/very-secret/);
});

test("a key that is no JSON is refused", () => {
  vi.stubEnv("RECEIPT_SIGNING_KEY", "nonsense");
  expect(() => readSettings("RECEIPT_SIGNING_KEY")).toThrow("RECEIPT_SIGNING_KEY must be JSON");
});
