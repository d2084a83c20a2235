import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { settings } from "@carillon/platform";
import { temporaryFolder } from "@carillon/testkit";
import { expect, test } from "vitest";
import { secretsOf } from "./secrets.ts";

test("secrets are made once, are what the workers take, and only their owner may read them", () => {
  const folder = temporaryFolder();
  const secrets = secretsOf(folder, {});
  for (const name of ["AUTH_SIGNING_KEYS", "RECEIPT_SIGNING_KEYS", "REFRESH_TOKEN_KEY"] as const) {
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
  expect(() => secretsOf(temporaryFolder(), { AUTH_SIGNING_KEYS: "no key" })).toThrow(
    "AUTH_SIGNING_KEYS must be JSON",
  );
});

test("a folder from before keys could be rotated keeps its keys", () => {
  const folder = temporaryFolder();
  const { AUTH_SIGNING_KEYS, RECEIPT_SIGNING_KEYS, ...others } = secretsOf(folder, {});
  const [AUTH_SIGNING_KEY, RECEIPT_SIGNING_KEY] = [AUTH_SIGNING_KEYS, RECEIPT_SIGNING_KEYS].map((keys) =>
    JSON.stringify(JSON.parse(keys)[0]),
  );
  const old = { ...others, AUTH_SIGNING_KEY, RECEIPT_SIGNING_KEY };
  writeFileSync(join(folder, "secrets.json"), JSON.stringify(old));
  for (let reading = 0; reading < 2; reading++) {
    expect(secretsOf(folder, {})).toEqual({ ...others, AUTH_SIGNING_KEYS, RECEIPT_SIGNING_KEYS });
  }
});
