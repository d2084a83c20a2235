import { SettingsError } from "@carillon/platform";
import { expect, test } from "vitest";
import { engineSettings } from "./engine-settings.ts";

const [live, auth, reports] = ["live", "auth", "reports"].map((name) => `postgres://owner:pw@db/${name}`);

test("what the environment leaves out is ours to start", () => {
  expect(engineSettings({ NATS_URL: "nats://bus:4222" })).toEqual({
    eventstoreUrl: undefined,
    natsUrl: "nats://bus:4222",
    objectsUrl: undefined,
    databaseUrls: undefined,
  });
});

test("the three databases are named together", () => {
  const all = { DATABASE_URL: live, AUTH_DATABASE_URL: auth, REPORTS_DATABASE_URL: reports };
  expect(engineSettings(all).databaseUrls).toEqual({ live, auth, reports });
  const { AUTH_DATABASE_URL: _, ...two } = all;
  expect(() => engineSettings(two)).toThrow(
    "AUTH_DATABASE_URL is missing; the three databases are named together",
  );
  expect(() => engineSettings({ AUTH_DATABASE_URL: auth })).toThrow(
    "DATABASE_URL and REPORTS_DATABASE_URL are missing",
  );
});

test("a wrong address is named", () => {
  expect(() => engineSettings({ EVENTSTORE_URL: "http://127.0.0.1" })).toThrow(SettingsError);
  expect(() => engineSettings({ EVENTSTORE_URL: "http://127.0.0.1" })).toThrow(
    "EVENTSTORE_URL must be an address",
  );
});
