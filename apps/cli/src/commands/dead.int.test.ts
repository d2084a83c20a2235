import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { type Instant, SubmissionId, streamName, type TenantId, tenantIdOf } from "@carillon/domain";
import {
  type Bus,
  connectBus,
  connectEventLog,
  deadLetterWork,
  encodeEnvelope,
  ensureWorkStreams,
} from "@carillon/platform";
import { bareEnvironment, enrollTenant, newSigningKey, test } from "@carillon/testkit";
import { afterAll, expect } from "vitest";

let natsUrl: string;
let eventstoreUrl: string;
let bus: Bus;
const slug = "riverside";
const tenantId = tenantIdOf(slug);

test.beforeAll(async ({ natsUrl: own, eventStore }) => {
  natsUrl = own;
  eventstoreUrl = eventStore.url;
  bus = await connectBus(natsUrl, "test");
  await ensureWorkStreams(bus);
  const log = connectEventLog(eventstoreUrl);
  await enrollTenant(log, slug);
  log.close();
});
afterAll(() => bus?.close());

const dead = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, "../main.ts"), "dead", ...args],
    {
      encoding: "utf8",
      env: {
        ...bareEnvironment(),
        CARILLON_URL: "http://127.0.0.1:1",
        EVENTSTORE_URL: eventstoreUrl,
        NATS_URL: natsUrl,
        AUTH_SIGNING_KEYS: JSON.stringify([newSigningKey("test")]),
      },
    },
  );
  return { status, stdout, stderr };
};

const listed = (...args: string[]) => JSON.parse(dead("list", "--json", ...args).stdout);

async function deadLetter(handler: string, of: TenantId, eventId: string) {
  const envelope = encodeEnvelope({
    id: eventId,
    type: "SubmissionReceived",
    stream: streamName("submission", of, SubmissionId.parse("0192f3a4-5b6c-7d8e-9f01-23456789abcd")),
    revision: 1,
    position: 7n,
    previous: null,
    created: "2026-09-01T08:59:00.000Z" as Instant,
    data: { autograded: true },
    metadata: { tenantId: of },
  });
  const at = "2026-09-01T09:00:00.000Z";
  await deadLetterWork(bus, { handler, tenantId: of }, envelope, eventId, {
    reason: "nothing works",
    tries: 5,
    firstFailedAt: at,
    lastFailedAt: at,
  });
}

const workLeft = async () =>
  (await (await bus.jetstreamManager()).streams.info("WORK", { subjects_filter: ">" })).state.subjects ?? {};

test("an operator lists, shows, replays and gives up dead letters", async () => {
  expect(listed()).toEqual([]);
  await deadLetter("grade", tenantId, "one");
  await deadLetter("grade", tenantIdOf("other"), "two");
  await deadLetter("lapse", tenantId, "three");

  expect(listed()).toMatchObject([
    { event: { id: "one" } },
    { event: { id: "two" } },
    { event: { id: "three" } },
  ]);
  expect(listed("--handler", "grade", "--tenant", slug)).toMatchObject([
    {
      id: 1,
      handler: "grade",
      tenantId,
      tries: 5,
      reason: "nothing works",
      event: { type: "SubmissionReceived" },
    },
  ]);
  expect(dead("list").stdout).toContain("5 tries, 2026-09-01T09:00:00.000Z");

  expect(JSON.parse(dead("show", "1", "--json").stdout)).toMatchObject({
    event: { id: "one", position: "7", data: { autograded: true } },
  });

  expect(dead("replay", "1")).toMatchObject({ status: 0, stdout: expect.stringContaining("is work again") });
  expect(await workLeft()).toEqual({ [`work.grade.${tenantId}`]: 1 });
  expect(listed().map(({ id }: { id: number }) => id)).toEqual([2, 3]);

  expect(dead("discard", "--handler", "lapse", "--by", "Ada").status).toBe(0);
  expect(listed()).toHaveLength(1);
  expect(listed("--discarded")).toMatchObject([
    { discardedBy: "Ada", handler: "lapse", event: { id: "three" } },
  ]);
});

test.each([
  ["an id that is none", ["show", "x"], 2, "whole number"],
  ["a handler that is none", ["list", "--handler", "a.b"], 2, "a handler's name"],
  ["a letter that is not there", ["replay", "4711"], 1, "there is no dead letter 4711"],
  ["a school that is not there", ["list", "--tenant", "nowhere"], 1, 'no school "nowhere"'],
  ["no choice at all", ["discard"], 1, "say which"],
])("%s is refused", (_, args, status, message) => {
  expect(dead(...args)).toMatchObject({ status, stdout: "", stderr: expect.stringContaining(message) });
});
