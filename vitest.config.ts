import { defineConfig } from "vitest/config";

/**
 * When a test and an `expect.poll` give up, in milliseconds. They end what hangs and promise nothing: a loaded machine
 * needs many times what an idle one does, and a worker that was killed holds what it took for up to half a minute.
 */
const limits = {
  unit: { test: 60_000, poll: 20_000 },
  int: { test: 300_000, poll: 60_000 },
  e2e: { test: 600_000, poll: 120_000 },
};
/** The whole platform wants the machine for itself. */
const order = { unit: 0, int: 0, e2e: 1 };

/** The level of a test is in its file name: pure code, real servers, or the whole platform. */
const level = (name: keyof typeof limits) => ({
  extends: true as const,
  test: {
    name,
    include: [`{{packages,apps}/*,bench}/{src,test}/**/*.${name}.test.ts`],
    testTimeout: limits[name].test,
    hookTimeout: limits[name].test,
    expect: { poll: { timeout: limits[name].poll } },
    sequence: { groupOrder: order[name] },
    ...(name === "int" && { globalSetup: "packages/testkit/src/run/global-setup.ts" }),
    ...(name === "e2e" && { fileParallelism: false }),
  },
});

export default defineConfig({
  test: {
    pool: "forks",
    // The default leaves a core out, of two as well.
    maxWorkers: "100%",
    projects: [level("unit"), level("int"), level("e2e")],
  },
});
