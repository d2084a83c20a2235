import { generateKeyPairSync } from "node:crypto";
import { instantOf, type SubmissionId, type TenantId } from "@carillon/domain";
import type { SigningKey } from "@carillon/platform";
import { expect, test } from "vitest";
import { uploadPace } from "./upload-pace.ts";
import { uploadSlots } from "./upload-tickets.ts";

const newKey = (kid: string) =>
  ({ ...generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" }), kid }) as SigningKey;
const ownAddresses = { presignedPut: () => Promise.resolve(undefined) };
const awaited = {
  tenantId: crypto.randomUUID() as TenantId,
  submissionId: crypto.randomUUID() as SubmissionId,
  sha256: "ab".repeat(32),
  bytes: 1_000_000,
  uploadBy: instantOf(new Date("2026-09-01T08:59:00.123Z")),
};
const [old, next] = [newKey("old"), newKey("next")];
const slotsOf = (...keys: SigningKey[]) => uploadSlots(keys, ownAddresses, uploadPace());
const idOf = async (slots: ReturnType<typeof slotsOf>) =>
  (await slots.offer(awaited, true)).url.replace("/uploads/", "");

test("an id says what it is for, and the same content has the same id", async () => {
  const slots = slotsOf(old);
  const id = await idOf(slots);
  expect(slots.read(id)).toEqual(awaited);
  expect(await idOf(slots)).toBe(id);
});

test("workers know each other's ids while a key is added, and nobody else's", async () => {
  expect(slotsOf(old).read(await idOf(slotsOf(old, next)))).toEqual(awaited);
  expect(slotsOf(next, old).read(await idOf(slotsOf(old)))).toEqual(awaited);
  expect(slotsOf(next).read(await idOf(slotsOf(old)))).toBeUndefined();
});

test("an id with another letter is not ours", async () => {
  const slots = slotsOf(old);
  const id = await idOf(slots);
  for (let at = 0; at < id.length - 1; at += 7) {
    const changed = `${id.slice(0, at)}${id[at] === "A" ? "B" : "A"}${id.slice(at + 1)}`;
    expect(slots.read(changed)).toBeUndefined();
  }
  expect(slots.read("")).toBeUndefined();
});

test("where the store has addresses of its own, the slot is one", async () => {
  const direct = {
    url: "https://s3.example/content?X-Amz-Signature=1",
    headers: { "x-amz-checksum-sha256": "q" },
  };
  const asked: unknown[] = [];
  const presignedPut = (...input: unknown[]) => {
    asked.push(input);
    return Promise.resolve(direct);
  };
  const slot = await uploadSlots([old], { presignedPut }, uploadPace()).offer(awaited, true);
  expect(slot).toMatchObject({ ...direct, protocol: "put", expiresAt: awaited.uploadBy });
  expect(asked).toEqual([[awaited.tenantId, awaited, new Date(awaited.uploadBy)]]);
});
