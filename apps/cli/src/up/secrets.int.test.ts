import { statSync } from "node:fs";
import { join } from "node:path";
import { settings } from "@carillon/platform";
import { expect, test } from "vitest";
import { secretsOf } from "./secrets.ts";
import { temporaryFolder } from "./testing.ts";

test("secrets are made once, are what the workers take, and only their owner may read them", () => {
  const folder = temporaryFolder();
  const secrets = secretsOf(folder, {});
  for (const name of ["AUTH_SIGNING_KEY", "RECEIPT_SIGNING_KEY", "REFRESH_TOKEN_KEY"] as const) {
    expect(settings[name].safeParse(secrets[name]).error).toBeUndefined();
  }
  expect(new Set(Object.values(secrets)).size).toBe(Object.keys(secrets).length);
  expect(statSync(join(folder, "secrets.json")).mode & 0o777).toBe(0o600);
  expect(secretsOf(folder, {})).toEqual(secrets);
});

test("a key from the environment wins and is not kept", () => {
  const folder = temporaryFolder();
  const own = secretsOf(folder, {});
  const other = secretsOf(temporaryFolder(), {}).REFRESH_TOKEN_KEY;
  expect(secretsOf(folder, { REFRESH_TOKEN_KEY: other })).toEqual({ ...own, REFRESH_TOKEN_KEY: other });
  expect(secretsOf(folder, {})).toEqual(own);
});

test("a wrong key from the environment is named", () => {
  expect(() => secretsOf(temporaryFolder(), { AUTH_SIGNING_KEY: "no key" })).toThrow(
    "AUTH_SIGNING_KEY must be JSON",
  );
});
