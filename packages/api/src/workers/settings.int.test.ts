import { expect, test } from "vitest";
import { launchWorker, runtimes, type WorkerName, workerModule } from "../testing.ts";

const needed = {
  auth: ["EVENTSTORE_URL", "NATS_URL", "AUTH_DATABASE_URL", "AUTH_SIGNING_KEYS", "REFRESH_TOKEN_KEY"],
  api: ["EVENTSTORE_URL", "NATS_URL", "DATABASE_URL", "AUTH_JWKS_URL", "RECEIPT_SIGNING_KEYS"],
  reports: ["NATS_URL", "REPORTS_DATABASE_URL", "AUTH_JWKS_URL"],
  gateway: ["AUTH_URL", "API_URL", "REPORTS_URL"],
} satisfies Record<WorkerName, string[]>;

const cases = runtimes.flatMap((runtime) =>
  (Object.keys(needed) as WorkerName[]).map((worker) => [worker, runtime] as const),
);

test.each(cases)(
  "%s on %s does not start with a setting missing or wrong, and names it",
  async (worker, runtime) => {
    const [wrong = "", ...missing] = needed[worker];
    const launched = await launchWorker(runtime, workerModule(worker), { [wrong]: "hunter2" });
    expect(await launched.exited).toBe(78);
    expect(launched.output()).toContain(`${wrong} must be`);
    for (const name of missing) expect(launched.output()).toContain(`${name} is missing`);
    expect(launched.output()).not.toContain("hunter2");
  },
);
