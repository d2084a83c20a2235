import { ClassId, instantOf, streamName, tenantIdOf } from "@carillon/domain";
import { expect, test } from "vitest";
import { type ChainedEvent, decodeEnvelope, encodeEnvelope, routeOf } from "./event-envelope.ts";
import { partitionOf } from "./partition.ts";

const tenantId = tenantIdOf("riverside-high");
const stream = streamName("class", tenantId, ClassId.parse("0190f1d2-0000-7000-8000-000000000001"));

const event: ChainedEvent = {
  id: "0190f1d2-0000-7000-8000-000000000002",
  type: "ClassOpened",
  stream,
  revision: 0,
  position: 2n ** 63n - 1n,
  previous: 2n ** 53n + 1n,
  created: instantOf(new Date("2026-09-01T08:59:00Z")),
  data: { title: "Théorie des ensembles" },
  metadata: { schema: 1 },
};

test("an event comes out of its envelope as it went in", () => {
  expect(decodeEnvelope(encodeEnvelope(event))).toEqual(event);
  expect(decodeEnvelope(encodeEnvelope({ ...event, previous: null }))).toEqual({ ...event, previous: null });
});

test("a subject names partition, tenant, category and type", () => {
  const partition = partitionOf(tenantId);
  expect(routeOf(event)).toEqual({
    tenantId,
    partition,
    subject: `events.${partition}.${tenantId}.class.ClassOpened`,
  });
});

test.each([
  ["a foreign stream", { stream: "orders-1", type: "ClassOpened" }],
  ["an unknown category", { stream: stream.replace("class", "order"), type: "ClassOpened" }],
  ["a type that would break the subject", { stream, type: "Class.Opened" }],
])("%s has no place", (_, foreign) => {
  expect(routeOf(foreign)).toBeUndefined();
});
