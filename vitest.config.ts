import { defineConfig } from "vitest/config";

const timeouts = { unit: 5_000, int: 60_000, e2e: 180_000 };

/** The level of a test is in its file name: pure code, real servers, or the whole platform. */
const level = (name: keyof typeof timeouts) => ({
  extends: true as const,
  test: {
    name,
    include: [`{packages,apps}/*/{src,test}/**/*.${name}.test.ts`],
    testTimeout: timeouts[name],
    hookTimeout: timeouts[name],
  },
});

export default defineConfig({
  test: {
    pool: "forks",
    projects: [level("unit"), level("int"), level("e2e")],
  },
});
