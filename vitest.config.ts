import { defineConfig } from "vitest/config";

const timeouts = { unit: 5_000, int: 60_000, e2e: 180_000 };
/** The whole platform wants the machine for itself. */
const order = { unit: 0, int: 0, e2e: 1 };

/** The level of a test is in its file name: pure code, real servers, or the whole platform. */
const level = (name: keyof typeof timeouts) => ({
  extends: true as const,
  test: {
    name,
    include: [`{{packages,apps}/*,bench}/{src,test}/**/*.${name}.test.ts`],
    testTimeout: timeouts[name],
    hookTimeout: timeouts[name],
    sequence: { groupOrder: order[name] },
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
