import { execFile } from "node:child_process";
import process from "node:process";
import { promisify } from "node:util";
import { answers, identify } from "@carillon/launcher";
import { main, temporaryFolder, until, up } from "@carillon/testkit";
import { expect, test } from "vitest";
import { findPlatform } from "../operator/platform-address.ts";

const processesOf = (data: string) =>
  Object.values(findPlatform({ data, env: {} }).pids).map((pid) => ({ pid, identity: identify(pid) }));

test("the platform starts, refuses a second one, outlives a kill -9 of its supervisor, and stops cleanly", async () => {
  const data = temporaryFolder();
  const first = up(data);
  const url = await first.ready;
  await expect.poll(() => answers(`${url}/readyz`)).toBe(true);

  await expect(
    promisify(execFile)(process.execPath, [main, "up", "--data", data, "--no-demo"]),
  ).rejects.toMatchObject({
    code: 1,
    stdout: "",
    stderr: `carillon: a platform is already running in ${data} (pid ${first.child.pid})\n`,
  });

  const leftovers = processesOf(data);
  first.child.kill("SIGKILL");
  await first.exit;
  const second = up(data);
  expect(await second.ready).toBe(url);
  for (const { pid, identity } of leftovers) expect(identify(pid)?.startedAt).not.toBe(identity?.startedAt);

  const running = processesOf(data);
  expect(running).toHaveLength(12);
  second.child.kill("SIGINT");
  second.child.kill("SIGINT"); // a terminal and npm both send it
  expect(await second.exit).toBe(0);
  await until("all have ended", () =>
    running.every(({ pid, identity }) => identify(pid)?.startedAt !== identity?.startedAt),
  );
});

test("two platforms run side by side, and a killed process is started again", async () => {
  const folders = [temporaryFolder(), temporaryFolder()] as const;
  const platforms = folders.map(up);
  const [one, other] = await Promise.all(platforms.map((platform) => platform.ready));
  expect(one).not.toBe(other);

  const gateway = () => findPlatform({ data: folders[0], env: {} }).pids.gateway ?? 0;
  const before = gateway();
  process.kill(before, "SIGKILL");
  await until("another gateway runs", () => gateway() !== before);
  await expect.poll(() => answers(`${one}/readyz`)).toBe(true);
  await expect.poll(() => answers(`${other}/readyz`)).toBe(true);
});
