import { join } from "node:path";
import { script, soon, superviseForTest, temporaryFolder } from "@carillon/testkit";
import { expect, test } from "vitest";
import { lockFolder } from "./folder-lock.ts";

test("a folder has one holder at a time", () => {
  const folder = temporaryFolder();
  const lock = lockFolder(folder);
  expect(lock).toBeDefined();
  expect(lockFolder(folder)).toBeUndefined();

  lock?.release();
  const next = lockFolder(folder);
  expect(next).toBeDefined();
  next?.release();
});

test("the lock of a process that was killed with kill -9 is free at once", async () => {
  const folder = temporaryFolder();
  const module = join(import.meta.dirname, "folder-lock.ts");
  const { supervised } = superviseForTest({
    ...script(`
      import { lockFolder } from ${JSON.stringify(module)};
      const lock = lockFolder(${JSON.stringify(folder)});
      console.log(lock ? "ready" : "refused");
      setInterval(() => lock, 1000);`),
  });
  await supervised.whenReady(soon());
  expect(lockFolder(folder)).toBeUndefined();

  await supervised.kill();
  const lock = lockFolder(folder);
  expect(lock).toBeDefined();
  lock?.release();
});
