import { type TestServer, test } from "@carillon/testkit";
import { afterAll, expect } from "vitest";
import { type Bus, connectBus } from "./bus.ts";
import { type MirroredBucket, openMirroredBucket } from "./mirrored-bucket.ts";

let server: TestServer;
let bus: Bus;
const opened: MirroredBucket<number>[] = [];
const open = async (name = "counts") => {
  const bucket = await openMirroredBucket<number>(bus, name, { what: "The counts", ttlMs: 60_000 });
  opened.push(bucket);
  return bucket;
};
const oneMore = (count = 0) => count + 1;

test.beforeAll(async ({ natsServer }) => {
  server = natsServer;
  bus = await connectBus(natsServer.url, "test");
});
afterAll(async () => {
  for (const bucket of opened) bucket.close();
  await bus?.close();
});

test("what one process writes, all have in memory", async () => {
  const [one, other] = [await open(), await open()];
  expect(await one.update("a", oneMore)).toBe(1);
  expect(one.get("a")).toBe(1);
  await expect.poll(() => other.get("a")).toBe(1);
  await other.update("a", () => undefined);
  await expect.poll(() => one.get("a")).toBeUndefined();
});

test("of changes that are made side by side none is lost", async () => {
  const processes = [await open(), await open(), await open()];
  const changes = processes.flatMap((bucket) =>
    Array.from({ length: 10 }, () => bucket.update("b", oneMore)),
  );
  await Promise.all(changes);
  for (const bucket of processes) await expect.poll(() => bucket.get("b")).toBe(30);
});

test("a copy that is opened later has what was there before", async () => {
  await (await open()).update("c", () => 7);
  expect((await open()).get("c")).toBe(7);
});

test("it goes on with a server that was started again, and says when there is none", async () => {
  const [one, other] = [await open(), await open()];
  await one.update("d", () => 1);
  await server.kill9();
  expect(one.get("d")).toBe(1);
  await server.restart();
  await expect.poll(() => one.update("d", () => 2).catch(() => 0)).toBe(2);
  await expect.poll(() => other.get("d")).toBe(2);
});
