import { createHash, randomBytes } from "node:crypto";
import { type TenantId, tenantIdOf } from "@carillon/domain";
import { hasSwift, startNats, startSwift, type TestS3, test } from "@carillon/testkit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, vi } from "vitest";
import { type Bus, connectBus } from "../nats/bus.ts";
import { contentGraceMs } from "./content-age.ts";
import type { ContentStore, StoredContent } from "./content-store.ts";
import { openContent } from "./open-content.ts";
import { collectOrphans } from "./orphan-collector.ts";
import { openS3 } from "./s3-bucket.ts";

const swift = await hasSwift();
const stores = swift ? (["JetStream", "S3"] as const) : (["JetStream"] as const);
if (!swift) process.stderr.write("content on S3 is not tested: OpenStack Swift is not installed\n");

const smallBytes = 4_096;
const largeBytes = 3 * 1024 * 1024 + 17;

let bus: Bus;
let s3: TestS3 | undefined;
test.beforeAll(async ({ natsUrl }) => {
  s3 = swift ? await startSwift() : undefined;
  bus = await connectBus(natsUrl, "test");
});
afterAll(async () => {
  await bus?.close();
  await s3?.stop();
});

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const expected = (bytes: Uint8Array) => ({ sha256: sha256(bytes), bytes: bytes.length });

/** Content in pieces of all sizes; with `failure` it breaks off at its end. */
function streamed(bytes: Uint8Array, failure?: Error): ReadableStream<Uint8Array> {
  let from = 0;
  return new ReadableStream({
    pull(controller) {
      const to = from + 1 + Math.floor(Math.random() * 300_000);
      if (from < bytes.length) controller.enqueue(bytes.subarray(from, to));
      else if (failure) controller.error(failure);
      else controller.close();
      from = to;
    },
  });
}

async function all(content: ReadableStream<Uint8Array> | undefined): Promise<Buffer | undefined> {
  return content && Buffer.concat(await Array.fromAsync(content));
}

describe.each(stores)("content in %s", (kind) => {
  let content: ContentStore;
  let tenantId: TenantId;
  let schools = 0;
  beforeAll(() => {
    content = openContent(bus, kind === "S3" ? s3?.url : undefined);
  });
  beforeEach(() => {
    tenantId = tenantIdOf(`${kind}-${++schools}`);
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const listed = async () => {
    const found: StoredContent[] = [];
    for await (const stored of content.list()) if (stored.tenantId === tenantId) found.push(stored);
    return found;
  };
  const later = (milliseconds: number) => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + milliseconds });
  };

  test.each([1, smallBytes, 256 * 1024, 256 * 1024 + 1, largeBytes])(
    "%i bytes are read as they were stored",
    async (bytes) => {
      for (const put of ["whole", "streamed"]) {
        const original = randomBytes(bytes);
        if (put === "whole") await content.put(tenantId, sha256(original), original);
        else await content.putStream(tenantId, expected(original), streamed(original));
        expect(await content.has(tenantId, sha256(original))).toBe(true);
        expect((await all(await content.open(tenantId, sha256(original))))?.equals(original)).toBe(true);
        expect(sha256((await content.get(tenantId, sha256(original))) as Uint8Array)).toBe(sha256(original));
      }
    },
  );

  describe.each([smallBytes, largeBytes])("of %i bytes", (bytes) => {
    test.each([
      ["is cut short", "content_missing", (original: Buffer) => streamed(original.subarray(0, -1))],
      [
        "breaks off",
        "content_missing",
        (original: Buffer) => streamed(original.subarray(0, bytes / 2), new Error("gone")),
      ],
      ["is empty", "content_missing", () => streamed(Buffer.alloc(0))],
      [
        "is too long",
        "content_too_large",
        (original: Buffer) => streamed(Buffer.concat([original, original])),
      ],
      ["is other content", "content_digest_mismatch", () => streamed(randomBytes(bytes))],
    ])("what %s is refused and nothing of it can be read", async (_, code, send) => {
      const original = randomBytes(bytes);
      const put = () => content.putStream(tenantId, expected(original), send(original));
      await expect(put()).rejects.toMatchObject({ code });
      expect(await content.has(tenantId, sha256(original))).toBe(false);
      expect(await content.open(tenantId, sha256(original))).toBeUndefined();
      expect(await listed()).toEqual([]);
      await content.putStream(tenantId, expected(original), streamed(original));
      // A client that sends what is there already has to have it too.
      await expect(put()).rejects.toMatchObject({ code });
      expect((await all(await content.open(tenantId, sha256(original))))?.equals(original)).toBe(true);
    });

    test("handed in 300 times at once it is kept once", async () => {
      const original = randomBytes(bytes);
      const times = bytes === smallBytes ? 300 : 20;
      await Promise.all(
        Array.from({ length: times }, () =>
          content.putStream(tenantId, expected(original), streamed(original)),
        ),
      );
      expect(await listed()).toMatchObject([{ sha256: sha256(original), bytes }]);
      expect((await all(await content.open(tenantId, sha256(original))))?.equals(original)).toBe(true);
    });

    test("another tenant does not find it", async () => {
      const original = randomBytes(bytes);
      await content.put(tenantId, sha256(original), original);
      const other = tenantIdOf("other");
      expect(await content.has(other, sha256(original))).toBe(false);
      expect(await content.get(other, sha256(original))).toBeUndefined();
    });

    test("it says whether it was stored since a moment", async () => {
      const original = randomBytes(bytes);
      const before = new Date();
      await content.put(tenantId, sha256(original), original);
      expect(await content.has(tenantId, sha256(original), before)).toBe(true);
      const wellAfter = new Date(Date.now() + 2_000);
      expect(await content.has(tenantId, sha256(original), wellAfter)).toBe(false);
    });

    test("stored again after half the grace time it is young again, before that it is left alone", async () => {
      const original = randomBytes(bytes);
      const put = () => content.put(tenantId, sha256(original), original);
      await put();
      const [first] = await listed();
      later(contentGraceMs / 2 - 60_000);
      await put();
      expect(await listed()).toEqual([first]);
      later(120_000);
      // S3 tells times by the second.
      await expect
        .poll(async () => {
          await put();
          const [now] = await listed();
          return Number(now?.storedAt) - Number(first?.storedAt);
        })
        .toBeGreaterThan(kind === "S3" ? 2_000 : 0);
      expect(await content.delete(first as StoredContent)).toBe(false);
      expect((await all(await content.open(tenantId, sha256(original))))?.equals(original)).toBe(true);
    });

    test("the collector takes what is old and unreferenced, and nothing else", async () => {
      const [kept, orphan] = [randomBytes(bytes), randomBytes(bytes)];
      for (const one of [kept, orphan]) await content.put(tenantId, sha256(one), one);
      const collect = (now: number) =>
        collectOrphans(
          content,
          async (tenant, digests) => new Set(tenant === tenantId ? [sha256(kept)] : digests),
          new Date(now),
          { graceMs: contentGraceMs },
        );
      expect((await collect(Date.now())).deleted).toBe(0);
      expect((await collect(Date.now() + contentGraceMs + 60_000)).deleted).toBe(1);
      expect((await listed()).map(({ sha256 }) => sha256)).toEqual([sha256(kept)]);
      expect(await content.has(tenantId, sha256(orphan))).toBe(false);
      await content.put(tenantId, sha256(orphan), orphan);
      expect(await content.has(tenantId, sha256(orphan))).toBe(true);
    });
  });

  test("a collector that cannot know the references deletes nothing", async () => {
    const original = randomBytes(smallBytes);
    await content.put(tenantId, sha256(original), original);
    const now = new Date(Date.now() + 2 * contentGraceMs);
    const behind = () => Promise.reject(new Error("behind"));
    await expect(collectOrphans(content, behind, now, { graceMs: contentGraceMs })).rejects.toThrow("behind");
    expect(await content.has(tenantId, sha256(original))).toBe(true);
  });
});

describe("content in JetStream only", () => {
  const tenantId = tenantIdOf("jetstream-only");

  test("what the collector looks at and is stored again meanwhile stays", async () => {
    const content = openContent(bus);
    for (const bytes of [smallBytes, largeBytes]) {
      const original = randomBytes(bytes);
      const put = () => content.put(tenantId, sha256(original), original);
      await put();
      const now = new Date(Date.now() + 2 * contentGraceMs);
      vi.useFakeTimers({ toFake: ["Date"], now });
      const { deleted } = await collectOrphans(
        content,
        async (_, digests) => {
          await put();
          return new Set(digests.filter((digest) => digest !== sha256(original)));
        },
        now,
        { graceMs: contentGraceMs },
      );
      vi.useRealTimers();
      expect(deleted).toBe(0);
      expect((await content.get(tenantId, sha256(original)))?.length).toBe(bytes);
    }
  });

  test.each([smallBytes, largeBytes])(
    "%i bytes that are deleted and stored again at once are there",
    async (bytes) => {
      const content = openContent(bus);
      const original = randomBytes(bytes);
      const put = () => content.put(tenantId, sha256(original), original);
      await put();
      for (let round = 0; round < 30; round++) {
        const all = await Array.fromAsync(content.list());
        const stored = all.find((one) => one.sha256 === sha256(original)) as StoredContent;
        vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 2 * contentGraceMs });
        await Promise.all(round % 2 ? [content.delete(stored), put()] : [put(), content.delete(stored)]);
        vi.useRealTimers();
        expect((await content.get(tenantId, sha256(original)))?.length).toBe(bytes);
      }
    },
  );

  test("NATS's own tools read what is stored, and read back to the last byte", async () => {
    const content = openContent(bus);
    const original = randomBytes(largeBytes);
    await content.putStream(tenantId, expected(original), streamed(original));
    const bucket = await bus.jetstream().views.os("objects");
    const read = await bucket.getBlob(`${tenantId}/${sha256(original)}`);
    expect(sha256(read as Uint8Array)).toBe(sha256(original));
  });

  test("what a storing left behind that was killed is discarded, and nothing else", async ({ natsUrl }) => {
    const content = openContent(bus);
    const original = randomBytes(largeBytes);
    await content.putStream(tenantId, expected(original), streamed(original));
    const manager = await bus.jetstreamManager();
    const chunks = async () => {
      const { state } = await manager.streams.info("OBJ_objects", { subjects_filter: "$O.objects.C.*" });
      return Object.keys(state.subjects ?? {}).length;
    };
    const before = await chunks();
    const killed = await connectBus(natsUrl, "killed");
    const half = new ReadableStream<Uint8Array>({
      async pull(controller) {
        controller.enqueue(original.subarray(0, 2 * 1024 * 1024));
        await new Promise(() => {});
      },
    });
    const other = randomBytes(largeBytes);
    openContent(killed)
      .putStream(tenantId, expected(other), half)
      .catch(() => {});
    await expect.poll(chunks).toBe(before + 1);
    await killed.close();
    expect(await content.has(tenantId, sha256(other))).toBe(false);
    expect(await content.discardUnfinished(new Date(Date.now() - 60_000))).toBe(0);
    expect(await content.discardUnfinished(new Date(Date.now() + 60_000))).toBe(1);
    expect(await chunks()).toBe(before);
    expect((await content.get(tenantId, sha256(original)))?.length).toBe(largeBytes);
  });

  test("what was acknowledged is there after NATS was killed with kill -9, and it goes on by itself", async () => {
    const server = await startNats();
    const own = await connectBus(server.url, "test");
    const content = openContent(own);
    const stored = new Set<string>();
    try {
      for (let round = 0; round < 2; round++) {
        let running = true;
        const put = async () => {
          while (running) {
            const original = randomBytes(smallBytes);
            await content.put(tenantId, sha256(original), original);
            stored.add(sha256(original));
          }
        };
        const putting = Array.from({ length: 16 }, () => put().catch(() => {}));
        const enough = stored.size + 500;
        await expect.poll(() => stored.size, { interval: 1 }).toBeGreaterThan(enough);
        const large = randomBytes(largeBytes);
        await content.putStream(tenantId, expected(large), streamed(large));
        stored.add(sha256(large));
        await server.kill9();
        running = false;
        await server.restart();
        await Promise.all(putting);
        await expect.poll(() => content.has(tenantId, sha256(large)).catch(() => false)).toBe(true);
        for (const digest of stored) {
          expect(sha256((await content.get(tenantId, digest)) as Uint8Array)).toBe(digest);
        }
      }
    } finally {
      await own.close();
      await server.stop();
    }
  });
});

describe.runIf(swift)("S3 only", () => {
  const tenantId = tenantIdOf("s3-only");
  const inAMinute = () => new Date(Date.now() + 60_000);
  const send = (url: string, headers: Record<string, string>, body: Buffer<ArrayBuffer>) =>
    fetch(url, { method: "PUT", headers, body });

  test("the server itself refuses content with another digest", async () => {
    const original = randomBytes(smallBytes);
    const bucket = openS3(s3?.url as string);
    const other = streamed(randomBytes(smallBytes));
    await expect(bucket.put(`${tenantId}/x`, expected(original), other)).rejects.toMatchObject({
      code: "unavailable",
      cause: { message: expect.stringMatching(/XAmzContentSHA256Mismatch|BadDigest/) },
    });
    expect(await bucket.modifiedAt(`${tenantId}/x`)).toBeUndefined();
  });

  test("a presigned address takes what it was signed for, and no other length, checksum or time", async () => {
    const original = Buffer.from(randomBytes(smallBytes));
    const bucket = openS3(s3?.url as string);
    const key = `${tenantId}/${sha256(original)}`;
    const { url, headers } = await bucket.presignPut(key, expected(original), inAMinute());
    const checksum = createHash("sha256").update("other").digest("base64");
    expect((await send(url, { ...headers, "x-amz-checksum-sha256": checksum }, original)).status).toBe(403);
    expect((await send(url, {}, original)).status).toBe(403);
    expect((await send(url.replace(key, `${tenantId}/other`), headers, original)).status).toBe(403);
    const longer = Buffer.concat([original, original]);
    const { "content-length": _, ...rest } = headers;
    expect((await send(url, rest, longer)).status).toBe(403);
    expect(await bucket.modifiedAt(key)).toBeUndefined();
    expect((await send(url, headers, original)).status).toBe(200);
    expect(await bucket.modifiedAt(key)).toBeInstanceOf(Date);
  });

  test("a server that does not check digests gets nothing from clients directly", async () => {
    const content = openContent(bus, s3?.url);
    const original = randomBytes(smallBytes);
    expect(await content.presignedPut(tenantId, expected(original), inAMinute())).toBeUndefined();
    expect(
      await Array.fromAsync(openS3(s3?.url as string).list()).then((list) =>
        list.filter(({ key }) => key.startsWith("probe/")),
      ),
    ).toEqual([]);
  });

  test("wrong credentials or a server that is away are said as such", async () => {
    const wrong = openContent(bus, s3?.url.replace(":testing@", ":guessed@"));
    await expect(wrong.has(tenantId, sha256(Buffer.from("x")))).rejects.toMatchObject({
      code: "unavailable",
    });
    const away = openContent(bus, "s3+http://a:b@127.0.0.1:1/bucket");
    const original = randomBytes(smallBytes);
    await expect(away.putStream(tenantId, expected(original), streamed(original))).rejects.toMatchObject({
      code: "unavailable",
    });
  });
});
