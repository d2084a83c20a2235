import type { TenantId } from "@carillon/domain";
import { enrollTenant, enrollUser, type Pipeline, test } from "@carillon/testkit";
import { expect } from "vitest";
import { projections } from "./read-models/all-projections.ts";

let pipeline: Pipeline;

test.beforeAll(({ pipeline: own }) => {
  pipeline = own;
});

const usernames = (tenantId: TenantId, atLeast?: bigint) =>
  pipeline.live.read(tenantId, { projection: "directory", atLeast, patienceMs: 60_000 }, async (tx) => {
    const rows = await tx.selectFrom("directory.people").select("username").orderBy("username").execute();
    return rows.map(({ username }) => username);
  });

test("what a command wrote is read back by its position", async () => {
  const tenantId = await enrollTenant(pipeline.eventLog, "north");
  pipeline.startRelay();
  pipeline.startProjector([projections.directory, projections.submissions]);
  await enrollUser(pipeline.eventLog, tenantId, "warm-up").then(({ position }) =>
    usernames(tenantId, position),
  );

  const { position } = await enrollUser(pipeline.eventLog, tenantId, "ada");
  const { value, stale, asOf } = await usernames(tenantId, position);
  expect(value).toEqual(["ada", "warm-up"]);
  expect(stale).toBe(false);
  expect(BigInt(asOf.position ?? 0)).toBeGreaterThanOrEqual(position);
});
