import { join } from "node:path";
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

// Tests start many programs on Node: each compiles only what none has compiled before.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, "node_modules/.cache/node");

/** What starts the servers that test files share, when one asks for them. */
const globalSetup = join(import.meta.dirname, "packages/testkit/src/run/global-setup.ts");

const everywhere = "{{packages,apps}/*,bench}";

/**
 * The level of a test is in its file name: pure code, real servers, or the whole platform. A group begins when the one
 * before it is done.
 */
const level = (name: string, of: keyof typeof limits, where: string, group: number, options = {}) => ({
  extends: true as const,
  test: {
    name,
    include: [`${where}/{src,test}/**/*.${of}.test.ts`],
    testTimeout: limits[of].test,
    hookTimeout: limits[of].test,
    expect: { poll: { timeout: limits[of].poll } },
    sequence: { groupOrder: group },
    ...options,
  },
});

export default defineConfig({
  test: {
    pool: "forks",
    // The default leaves a core out, of two as well.
    maxWorkers: "100%",
    projects: [
      // Pure code leaves nothing behind: files may share a process, and what it has loaded.
      level("unit", "unit", everywhere, 0, { isolate: false }),
      level("int", "int", everywhere, 1, { globalSetup }),
      level("e2e", "e2e", "{packages,apps}/*", 2, { globalSetup }),
      // A storm wants the machine for itself.
      level("e2e-bench", "e2e", "bench", 3, { fileParallelism: false }),
    ],
  },
});
