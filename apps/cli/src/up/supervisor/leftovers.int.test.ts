import { identify, type ProcessIdentity } from "@carillon/launcher";
import { script, soon, superviseForTest, temporaryFolder } from "@carillon/testkit";
import { expect, test } from "vitest";
import { readPlatformFile, writePlatformFile } from "../folder/platform-file.ts";
import { stopLeftovers } from "./leftovers.ts";

const living = `console.log("ready"); setInterval(() => {}, 1000);`;

/** A folder whose platform was killed and left this process. */
function folderThatLeft(left: ProcessIdentity): string {
  const folder = temporaryFolder();
  writePlatformFile(folder, {
    supervisor: { pid: 1, startedAt: "long ago" },
    processes: { left },
    url: "http://127.0.0.1:1",
    eventstoreUrl: "esdb://127.0.0.1:1",
    natsUrl: "nats://127.0.0.1:1",
    projectorUrls: { live: "", auth: "", reports: "" },
    authSigningKeys: "[]",
  });
  return folder;
}

async function running() {
  const { supervised } = superviseForTest(script(living));
  await supervised.whenReady(soon());
  const identity = identify(supervised.pid() ?? 0);
  if (identity === undefined) throw new Error("the script does not run");
  return identity;
}

test("what a killed platform left running is ended, and its file is gone", async () => {
  const left = await running();
  const folder = folderThatLeft(left);
  await stopLeftovers(folder, () => {});
  expect(identify(left.pid)?.startedAt).not.toBe(left.startedAt);
  expect(readPlatformFile(folder)).toBeUndefined();
});

test("a stranger who was given the same pid is left alone", async () => {
  const stranger = await running();
  await stopLeftovers(folderThatLeft({ pid: stranger.pid, startedAt: "another time" }), () => {});
  expect(identify(stranger.pid)).toEqual(stranger);
});
