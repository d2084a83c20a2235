import { spawn } from "node:child_process";
import { once } from "node:events";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { kill, temporaryFolder } from "../testing.ts";
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

test("a folder has one holder whatever path leads to it", () => {
  const folder = temporaryFolder();
  const link = join(temporaryFolder(), "link");
  symlinkSync(folder, link);
  const lock = lockFolder(link);
  expect(lockFolder(folder)).toBeUndefined();

  lock?.release();
  const next = lockFolder(folder);
  expect(next).toBeDefined();
  next?.release();
});

test("the lock of a process that was killed with kill -9 is free at once", async () => {
  const folder = temporaryFolder();
  const holder = spawn(
    process.execPath,
    [
      "--input-type=module",
      "--eval",
      `import { lockFolder } from ${JSON.stringify(join(import.meta.dirname, "folder-lock.ts"))};
       const lock = lockFolder(${JSON.stringify(folder)});
       console.log(lock ? "ready" : "refused");
       setInterval(() => lock, 1000);`,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  onTestFinished(() => kill(holder));
  const [said] = await once(holder.stdout, "data");
  expect(String(said)).toBe("ready\n");
  expect(lockFolder(folder)).toBeUndefined();

  await kill(holder);
  const lock = lockFolder(folder);
  expect(lock).toBeDefined();
  lock?.release();
});

test("a folder that cannot be locked is named", () => {
  const missing = join(temporaryFolder(), "missing");
  expect(() => lockFolder(missing)).toThrow(`the folder ${missing} cannot be locked: unable to open`);
});
