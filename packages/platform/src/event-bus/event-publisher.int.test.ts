import { randomUUID } from "node:crypto";
import { instantOf, streamName, tenantIdOf, UserId } from "@carillon/domain";
import { test } from "@carillon/testkit";
import { afterAll, beforeEach, expect } from "vitest";
import type { StoredEvent } from "../event-log/event-log.ts";
import { type Bus, connectBus } from "../nats/bus.ts";
import { type EventRoute, routeOf } from "./event-envelope.ts";
import { type EventPublisher, openEventPublisher } from "./event-publisher.ts";

const tenantId = tenantIdOf("north");

let bus: Bus;
let position = 0n;
let opened: EventPublisher[] = [];

test.beforeAll(async ({ natsUrl }) => {
  bus = await connectBus(natsUrl, "test");
});
afterAll(() => bus?.close());

beforeEach(() => () => {
  for (const publisher of opened) publisher.close();
  opened = [];
});

const open = async () => {
  const publisher = await openEventPublisher(bus);
  opened.push(publisher);
  return publisher;
};

const event = (): StoredEvent => ({
  id: randomUUID(),
  type: "UserEnrolled",
  stream: streamName("user", tenantId, UserId.parse(randomUUID())),
  revision: 0,
  position: ++position,
  created: instantOf(new Date()),
  data: {},
  metadata: {},
});

const publish = (publisher: EventPublisher, one: StoredEvent) =>
  publisher.publish(one, routeOf(one) as EventRoute);

test("a publisher begins where the last one ended", async () => {
  const first = await open();
  publish(first, event());
  publish(first, event());
  await first.settled();
  expect((await open()).last).toBe(position);
});

test("of two writers, the one that did not see what the other wrote is refused", async () => {
  const [first, second] = await Promise.all([open(), open()]);
  publish(first, event());
  await first.settled();
  publish(second, event());
  await expect(second.settled()).rejects.toThrow("wrong last sequence");
  expect(second.failed.aborted).toBe(true);
});

test("two writers of the same events go side by side", async () => {
  const [first, second] = await Promise.all([open(), open()]);
  const same = Array.from({ length: 20 }, event);
  for (const one of same) {
    publish(first, one);
    publish(second, one);
  }
  await Promise.all([first.settled(), second.settled()]);
  expect((await open()).last).toBe(position);
});

test("a publisher that failed takes nothing more", async () => {
  const publisher = await open();
  publisher.close();
  expect(() => publish(publisher, event())).toThrow("closed");
  await expect(publisher.settled()).rejects.toThrow("closed");
});
