import { expect, test } from "vitest";
import { hashPassword, NewPassword, verifyPassword } from "./passwords.ts";

test("a password fits its own hash only, which says how it was made", async () => {
  const stored = await hashPassword("correct horse");
  expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(await verifyPassword(stored, "correct horse")).toBe(true);
  expect(await verifyPassword(stored, "correct house")).toBe(false);
});

test("where there is no hash nothing fits, after as much work", async () => {
  const stored = await hashPassword("correct horse");
  const cpuOf = async (check: () => Promise<boolean>) => {
    const before = process.cpuUsage();
    for (let i = 0; i < 5; i++) expect(await check()).toBe(false);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  await verifyPassword(null, "warm up");
  const unknown = await cpuOf(() => verifyPassword(null, "correct horse"));
  const mismatch = await cpuOf(() => verifyPassword(stored, "wrong"));
  expect(unknown).toBeGreaterThan(mismatch / 2);
});

test("a new password has at least 8 characters", () => {
  expect(NewPassword.safeParse("1234567").success).toBe(false);
  expect(NewPassword.safeParse("12345678").success).toBe(true);
  expect(NewPassword.safeParse("x".repeat(1025)).success).toBe(false);
});
