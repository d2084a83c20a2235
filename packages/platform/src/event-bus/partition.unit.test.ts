import fc from "fast-check";
import { expect, test } from "vitest";
import { partitionCount, partitionOf } from "./partition.ts";

test("a tenant's partition never changes", () => {
  expect(
    [
      "5f0c2f5e-7d0a-4f0e-9a55-3f7a3c1be0d1",
      "00000000-0000-5000-8000-000000000000",
      "ffffffff-ffff-5fff-bfff-ffffffffffff",
    ].map(partitionOf),
  ).toEqual([2, 0, 6]);
});

test("tenants are spread over every partition", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.uuid(), { minLength: 400, maxLength: 400 }), (tenants) => {
      const found = new Set(tenants.map(partitionOf));
      expect([...found].sort()).toEqual(Array.from({ length: partitionCount }, (_, partition) => partition));
    }),
    { numRuns: 20 },
  );
});
