import { collectOrphans, contentGraceMs, openContent } from "@carillon/platform";
import { projectionsNamed } from "@carillon/projections/all-projections";
import { test } from "@carillon/testkit";
import { expect } from "vitest";
import { digestOf, handIn, openSchool, store } from "../testing/school.ts";
import { contentReferences } from "./content-references.ts";

test("content without a submission is collected, once the read model is known to be whole", async ({
  pipeline,
}) => {
  const { eventLog, bus, live } = pipeline;
  const content = openContent(bus);
  const school = await openSchool(eventLog, "collected");
  await store(content, school.tenantId, "handed in");
  await store(content, school.tenantId, "left behind");
  await handIn(eventLog, school, "first", "handed in");

  const tomorrow = new Date(Date.now() + contentGraceMs + 3_600_000);
  const collect = () =>
    collectOrphans(
      content,
      contentReferences(live, eventLog, () => tomorrow),
      tomorrow,
      {
        graceMs: contentGraceMs,
      },
    );
  await expect(collect()).rejects.toThrow("too far behind");
  expect(await content.has(school.tenantId, digestOf("left behind"))).toBe(true);

  pipeline.startRelay();
  pipeline.startProjector(projectionsNamed(["submissions"]));
  await expect.poll(() => collect().catch(() => undefined)).toEqual({ kept: 1, deleted: 1 });
  expect(await content.has(school.tenantId, digestOf("handed in"))).toBe(true);
  expect(await content.has(school.tenantId, digestOf("left behind"))).toBe(false);
});
