import { assignmentIdOf, classIdOf, type Instant, tenantIdOf, userIdOf } from "@carillon/domain";
import { errors, exportJWK, generateKeyPair } from "jose";
import { expect, test } from "vitest";
import { type Receipt, signReceipt, verifyReceipt } from "./receipt.ts";
import { publicKey, type SigningKey } from "./signing-keys.ts";

const tenantId = tenantIdOf("riverside-high");
const receipt: Receipt = {
  tenantId,
  assignmentId: assignmentIdOf(classIdOf(tenantId, "A"), "1"),
  studentId: userIdOf(tenantId, "ada"),
  key: "tab-1",
  sha256: "ab".repeat(32),
  committedAt: "2026-09-20T23:59:59.000Z" as Instant,
  receivedAt: "2026-09-20T23:59:59.010Z" as Instant,
  stream: `submission-${tenantId}_x`,
  revision: 0,
  position: "18446744073709551615",
};

const newKey = async (kid: string): Promise<SigningKey> => {
  const { privateKey } = await generateKeyPair("EdDSA", { extractable: true });
  return { ...(await exportJWK(privateKey)), kty: "OKP", kid };
};

test("a receipt is checked with the public keys alone", async () => {
  const [old, current] = [await newKey("old"), await newKey("current")];
  const keys = { keys: [publicKey(old), publicKey(current)] };
  expect(JSON.stringify(keys)).not.toContain(String(old.d));
  for (const key of [old, current])
    expect(await verifyReceipt(await signReceipt(key, receipt), keys)).toEqual(receipt);
});

test("the same receipt is the same text", async () => {
  const key = await newKey("k");
  expect(await signReceipt(key, receipt)).toBe(await signReceipt(key, { ...receipt }));
});

test("a receipt that was changed, or signed by somebody else, is refused", async () => {
  const key = await newKey("k");
  const keys = { keys: [publicKey(key)] };
  const [header, , signature] = (await signReceipt(key, receipt)).split(".");
  const forged = Buffer.from(
    JSON.stringify({ ...receipt, committedAt: "2026-09-19T12:00:00.000Z" }),
  ).toString("base64url");
  await expect(verifyReceipt(`${header}.${forged}.${signature}`, keys)).rejects.toThrow(errors.JOSEError);
  await expect(verifyReceipt(await signReceipt(await newKey("k"), receipt), keys)).rejects.toThrow(
    errors.JOSEError,
  );
});
