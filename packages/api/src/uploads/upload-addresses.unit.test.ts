import { generateKeyPairSync } from "node:crypto";
import { instantOf, type SubmissionId, type TenantId } from "@carillon/domain";
import type { SigningKey } from "@carillon/platform";
import { expect, test } from "vitest";
import { uploadAddresses } from "./upload-addresses.ts";
import { uploadPace } from "./upload-pace.ts";

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
const addressesOf = (...keys: SigningKey[]) => uploadAddresses(keys, ownAddresses, uploadPace());
const idOf = async (addresses: ReturnType<typeof addressesOf>) =>
  (await addresses.offer(awaited, true)).url.replace("/uploads/", "");

test("an id says what it is for, and the same content has the same id", async () => {
  const addresses = addressesOf(old);
  const id = await idOf(addresses);
  expect(addresses.read(id)).toEqual(awaited);
  expect(await idOf(addresses)).toBe(id);
});

test("workers know each other's ids while a key is added, and nobody else's", async () => {
  expect(addressesOf(old).read(await idOf(addressesOf(old, next)))).toEqual(awaited);
  expect(addressesOf(next, old).read(await idOf(addressesOf(old)))).toEqual(awaited);
  expect(addressesOf(next).read(await idOf(addressesOf(old)))).toBeUndefined();
});

test("an id with another letter is not ours", async () => {
  const addresses = addressesOf(old);
  const id = await idOf(addresses);
  for (let at = 0; at < id.length - 1; at += 7) {
    const changed = `${id.slice(0, at)}${id[at] === "A" ? "B" : "A"}${id.slice(at + 1)}`;
    expect(addresses.read(changed)).toBeUndefined();
  }
  expect(addresses.read("")).toBeUndefined();
});

test("where the store has addresses of its own, the upload has one of them", async () => {
  const direct = {
    url: "https://s3.example/content?X-Amz-Signature=1",
    headers: { "x-amz-checksum-sha256": "q" },
  };
  const asked: unknown[] = [];
  const presignedPut = (...input: unknown[]) => {
    asked.push(input);
    return Promise.resolve(direct);
  };
  const upload = await uploadAddresses([old], { presignedPut }, uploadPace()).offer(awaited, true);
  expect(upload).toMatchObject({ ...direct, protocol: "put", expiresAt: awaited.uploadBy });
  expect(asked).toEqual([[awaited.tenantId, awaited, new Date(awaited.uploadBy)]]);
});
