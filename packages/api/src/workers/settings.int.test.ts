import { launchWorker, runtimes } from "@carillon/testkit";
import { expect, test } from "vitest";
import { manifests } from "./manifests.ts";

type WorkerName = keyof typeof manifests;

/** Every setting that the worker's manifest names but the one that it can do without. */
const needed = (worker: WorkerName) => manifests[worker].settings.filter((name) => name !== "OBJECTS_URL");

const cases = runtimes.flatMap((runtime) =>
  (Object.keys(manifests) as WorkerName[]).map((worker) => [worker, runtime] as const),
);

test.each(cases)(
  "%s on %s does not start with a setting missing or wrong, and names it",
  async (worker, runtime) => {
    const [wrong = "", ...missing] = needed(worker);
    const launched = await launchWorker(runtime, worker, { [wrong]: "hunter2" });
    expect(await launched.exited).toBe(78);
    expect(launched.output()).toContain(`${wrong} must be`);
    for (const name of missing) expect(launched.output()).toContain(`${name} is missing`);
    expect(launched.output()).not.toContain("hunter2");
  },
);
