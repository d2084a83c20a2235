import process from "node:process";
import { identify } from "@carillon/launcher";
import { temporaryFolder } from "@carillon/testkit";
import { expect, test } from "vitest";
import { writePlatformFile } from "../up/folder/platform-file.ts";
import { secretsOf } from "../up/folder/secrets.ts";
import { findPlatform } from "./platform-address.ts";

const addresses = {
  url: "http://127.0.0.1:7000",
  eventstoreUrl: "esdb://127.0.0.1:2113?tls=false",
  natsUrl: "nats://127.0.0.1:4222",
  projectorUrls: { live: "postgres://db/live", auth: "postgres://db/auth", reports: "postgres://db/reports" },
};

function folderOf(supervisor: { pid: number; startedAt: string }): {
  folder: string;
  authSigningKeys: string;
} {
  const folder = temporaryFolder();
  const { AUTH_SIGNING_KEYS: authSigningKeys } = secretsOf(folder, {});
  const processes = { relay: { pid: 42, startedAt: "1" } };
  writePlatformFile(folder, { supervisor, processes, ...addresses, authSigningKeys });
  return { folder, authSigningKeys };
}

test("a running platform is found in its folder", () => {
  const self = identify(process.pid);
  if (self === undefined) throw new Error("we do not run");
  const { folder, authSigningKeys } = folderOf(self);
  expect(findPlatform({ data: folder, env: {} })).toEqual({
    ...addresses,
    authSigningKeys: JSON.parse(authSigningKeys),
    pids: { relay: 42 },
  });
});

test("a platform that was killed, or never started, is not found, and we say how to start it", () => {
  const { folder } = folderOf({ pid: process.pid, startedAt: "another time" });
  for (const data of [folder, temporaryFolder()]) {
    expect(() => findPlatform({ data, env: {} })).toThrow(
      `no platform is running in ${data}; start it with "carillon up --data ${data}"`,
    );
  }
});

test("the environment's addresses are used if they are all there", () => {
  const { AUTH_SIGNING_KEYS } = secretsOf(temporaryFolder(), {});
  const env = {
    CARILLON_URL: addresses.url,
    EVENTSTORE_URL: addresses.eventstoreUrl,
    NATS_URL: addresses.natsUrl,
    DATABASE_URL: addresses.projectorUrls.live,
    AUTH_DATABASE_URL: addresses.projectorUrls.auth,
    REPORTS_DATABASE_URL: addresses.projectorUrls.reports,
    AUTH_SIGNING_KEYS,
  };
  expect(findPlatform({ env })).toEqual({
    ...addresses,
    authSigningKeys: JSON.parse(AUTH_SIGNING_KEYS),
    pids: {},
  });
  expect(() => findPlatform({ env: { ...env, NATS_URL: "" } })).toThrow("NATS_URL is missing");
});
