import { randomBytes } from "node:crypto";
import { type Bus, connectBus } from "@carillon/platform";
import { type TestServer, test } from "@carillon/testkit";
import { afterAll, beforeEach, expect } from "vitest";
import { openUploadParts, type UploadParts } from "./upload-parts.ts";

let nats: TestServer;
let bus: Bus;
let parts: UploadParts;
let upload: string;
test.beforeAll(async ({ natsServer }) => {
  nats = natsServer;
  bus = await connectBus(natsServer.url, "test");
  parts = openUploadParts(bus);
});
afterAll(() => bus?.close());
beforeEach(() => {
  // An id may hold what a subject may not.
  upload = `a.b > * ${randomBytes(16).toString("base64")}`;
});

const original = randomBytes(1_000_003);

const streamed = (bytes: Uint8Array, failure?: Error) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      for (let from = 0; from < bytes.length; from += 60_000) {
        controller.enqueue(bytes.subarray(from, from + 60_000));
      }
      if (!failure) controller.close();
    },
    pull(controller) {
      if (failure) controller.error(failure);
    },
  });
const read = async () => Buffer.concat(await Array.fromAsync(parts.read(upload)));

test("parts are put together in order", async () => {
  expect(await parts.size(upload)).toBe(0);
  expect(await parts.append(upload, 0, streamed(original.subarray(0, 700_000)))).toBe(700_000);
  expect(await parts.append(upload, 700_000, streamed(original.subarray(700_000)))).toBe(original.length);
  expect(await parts.size(upload)).toBe(original.length);
  expect((await read()).equals(original)).toBe(true);
});

test("of a part that breaks off, what came is stored, and the upload goes on there", async () => {
  const broken = streamed(original.subarray(0, 500_000), new Error("gone"));
  await expect(parts.append(upload, 0, broken)).rejects.toMatchObject({ code: "content_missing" });
  const size = await parts.size(upload);
  expect(size).toBeGreaterThan(0);
  await parts.append(upload, size, streamed(original.subarray(size)));
  expect((await read()).equals(original)).toBe(true);
});

test("a part that does not follow is refused with the size that there is", async () => {
  await parts.append(upload, 0, streamed(original.subarray(0, 10)));
  for (const offset of [0, 9, 11]) {
    await expect(parts.append(upload, offset, streamed(original))).rejects.toMatchObject({
      code: "upload_offset_mismatch",
      message: expect.stringMatching(/^10 bytes/),
    });
  }
  expect(await parts.size(upload)).toBe(10);
});

test("of several clients that send the same part at once, one wins, and the parts stay whole", async () => {
  const sent = await Promise.allSettled(
    Array.from({ length: 5 }, () => parts.append(upload, 0, streamed(original))),
  );
  expect(sent.filter(({ status }) => status === "fulfilled").length).toBeLessThanOrEqual(1);
  for (const one of sent) {
    if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "upload_offset_mismatch" });
  }
  const size = await parts.size(upload);
  await parts.append(upload, size, streamed(original.subarray(size)));
  expect((await read()).equals(original)).toBe(true);
});

test("uploads do not see each other, and what is discarded is gone", async () => {
  await parts.append(upload, 0, streamed(original));
  expect(await parts.size(`${upload}.`)).toBe(0);
  await parts.discard(upload);
  expect(await parts.size(upload)).toBe(0);
  expect((await read()).length).toBe(0);
});

test("parts expire, and all together they have a bound", async () => {
  await parts.size(upload);
  const manager = await bus.jetstreamManager();
  const { config } = await manager.streams.info("UPLOADS");
  expect(config.max_age).toBe(2 * 86_400 * 1e9);
  await manager.streams.purge("UPLOADS");
  await manager.streams.update("UPLOADS", { ...config, max_bytes: 600_000 });
  await expect(parts.append(upload, 0, streamed(original))).rejects.toMatchObject({
    code: "busy",
    wait: { retryAfterMs: 60_000 },
  });
  const size = await parts.size(upload);
  expect(size).toBeGreaterThan(0);
  await manager.streams.update("UPLOADS", config);
  await parts.append(upload, size, streamed(original.subarray(size)));
  expect((await read()).equals(original)).toBe(true);
});

test("what was acknowledged is there after NATS was killed with kill -9", async () => {
  await parts.append(upload, 0, streamed(original));
  await nats.kill9();
  await nats.restart();
  await expect.poll(() => parts.size(upload).catch(() => 0)).toBe(original.length);
  expect((await read()).equals(original)).toBe(true);
});
