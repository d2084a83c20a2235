import { expect, test } from "vitest";
import { platformWorkers, type WorkerName, withLogin, workerNames } from "./platform-workers.ts";

test("another login leaves the rest of the address as it is", () => {
  expect(withLogin("postgres://owner:pw@db:6432/live?sslmode=require", "reader", "p/w")).toBe(
    "postgres://reader:p%2Fw@db:6432/live?sslmode=require",
  );
});

const ports = Object.fromEntries(workerNames.map((name, index) => [name, 7000 + index])) as Record<
  WorkerName,
  number
>;
const database = (name: string) => `postgres://owner:pw@db/${name}`;
const engines = {
  eventstoreUrl: "esdb://log:2113",
  natsUrl: "nats://bus:4222",
  objectsUrl: undefined,
  databaseUrls: { live: database("live"), auth: database("auth"), reports: database("reports") },
};
const secrets = {
  AUTH_SIGNING_KEYS: "[]",
  RECEIPT_SIGNING_KEYS: "[]",
  REFRESH_TOKEN_KEY: "key",
  projectorPassword: "fills",
  readerPassword: "reads",
};

test("a platform has every worker once, each with a value for what its manifest cannot do without", () => {
  const workers = platformWorkers(ports, engines, secrets);
  expect(workers.map(({ name }) => name).toSorted()).toEqual(workerNames.toSorted());
  for (const { name, manifest, settings } of workers) {
    const missing = manifest.settings.filter((setting) => settings[setting] === undefined);
    expect({ name, missing: missing.filter((setting) => setting !== "OBJECTS_URL") }).toEqual({
      name,
      missing: [],
    });
  }
});

test("only a projector connects as the role that writes", () => {
  const writers = platformWorkers(ports, engines, secrets).filter(({ settings }) =>
    settings.DATABASE_URL?.includes("carillon_projector:fills@"),
  );
  expect(writers.map(({ name }) => name)).toEqual(["projector-live", "projector-auth", "projector-reports"]);
});
