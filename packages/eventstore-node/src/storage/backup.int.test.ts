import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  all,
  connect,
  event,
  eventually,
  names,
  spawnNode,
  startTestNode,
  temporaryFolder,
} from "../testing.ts";
import { backupFolder } from "./backup.ts";
import { verifyFolder } from "./integrity/verify.ts";
import { storeFile } from "./store-file.ts";

test("a backup of a node that is being written to is a whole log up to one moment, and a node runs on it", async () => {
  const dir = temporaryFolder();
  const node = await spawnNode(dir);
  const client = connect(node.url);
  let written = 0;
  let isDone = false;
  const write = async (stream: string) => {
    for (let n = 0; !isDone; n++, written++)
      await client.appendToStream(stream, [event(`${n}`), event("and")]);
  };
  const writers = ["a", "b", "c", "d"].map(write);
  await eventually(() => expect(written).toBeGreaterThan(200));
  const to = join(temporaryFolder(), "copies", "first");
  const before = written;
  const { events, damage } = await backupFolder(dir, to);
  expect(damage).toEqual([]);
  expect(events).toBeGreaterThanOrEqual(2 * before);
  await eventually(() => expect(2 * written).toBeGreaterThan(events));
  isDone = true;
  await Promise.all(writers);

  const copy = await startTestNode(to);
  const copied = (await all(copy.client.readAll())).map((resolved) => resolved.event?.id);
  const original = (await all(client.readAll({ maxCount: events }))).map((resolved) => resolved.event?.id);
  expect(copied).toHaveLength(events);
  expect(copied).toEqual(original);
  await copy.client.appendToStream("a", event("after"));
  expect(await verifyFolder(dir)).toMatchObject({ damage: [] });
});

test("a backup needs no running node", async () => {
  const dir = temporaryFolder();
  const { client, stop } = await startTestNode(dir);
  await client.appendToStream("s", [event("a"), event("b")]);
  await stop();
  const to = temporaryFolder();
  await backupFolder(dir, to);
  const copy = await startTestNode(to);
  expect(await names(copy.client.readStream("s"))).toEqual(["a", "b"]);
});

test("a backup never overwrites events, and there must be something to copy", async () => {
  const dir = temporaryFolder();
  const empty = temporaryFolder();
  await (await startTestNode(dir)).stop();
  await expect(backupFolder(dir, dir)).rejects.toThrow(`the folder ${dir} has events already`);
  await expect(backupFolder(empty, temporaryFolder())).rejects.toThrow(`the folder ${empty} has no events`);
  expect(existsSync(storeFile(empty))).toBe(false);
});
