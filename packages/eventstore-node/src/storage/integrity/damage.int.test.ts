import { closeSync, openSync, readFileSync, statSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import { jsonEvent } from "@eventstore/db-client";
import { expect, test } from "vitest";
import { startNode } from "../../index.ts";
import { startTestNode, temporaryFolder } from "../../testing.ts";
import { encodeHead, encodePosition, NEW_STREAM } from "../store.ts";
import { openStoreFile, storeFile, type Tables } from "../store-file.ts";
import { verifyFolder } from "./verify.ts";

const EVENTS = 60;

/**
 * A folder with the streams "s-0" to "s-2": position n + 1 is revision n / 3 of stream n % 3; then metadata of "s-0" and
 * a tombstone of "s-2".
 */
async function filledFolder(): Promise<string> {
  const dir = temporaryFolder();
  const { client, stop } = await startTestNode(dir);
  for (let n = 0; n < EVENTS; n++) {
    const event = jsonEvent({ type: "T", data: { name: `event ${n};`, filler: "x".repeat(n * 100) } });
    await client.appendToStream(`s-${n % 3}`, event);
  }
  await client.setStreamMetadata("s-0", { maxCount: 3 });
  await client.tombstoneStream("s-2");
  await stop();
  return dir;
}

/** Changes tables behind the node's back. */
async function tamper(dir: string, change: (tables: Tables) => Promise<unknown>): Promise<void> {
  const tables = await openStoreFile(dir, { readOnly: false });
  await change(tables);
  await tables.root.close();
}

/** A message as records are stored, with its checksum. */
function sealed(message: Buffer = Buffer.of()): Buffer {
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(message));
  return Buffer.concat([message, checksum]);
}

function overwrite(dir: string, at: number, bytes: Uint8Array): void {
  const descriptor = openSync(storeFile(dir), "r+");
  writeSync(descriptor, bytes, 0, bytes.length, at);
  closeSync(descriptor);
}

test("a folder that is whole verifies clean", async () => {
  expect(await verifyFolder(await filledFolder())).toEqual({
    events: EVENTS + 2,
    streams: 4,
    damage: [],
  });
});

test("a changed byte of an event is found, and such a folder is not opened", async () => {
  const dir = await filledFolder();
  const at = readFileSync(storeFile(dir)).lastIndexOf('"event 17;"');
  overwrite(dir, at + 1, Buffer.from("E"));
  expect((await verifyFolder(dir)).damage).toEqual(["the event at position 18 does not match its checksum"]);
  await expect(startNode({ dir, port: 0 })).rejects.toThrow(
    `the folder ${dir} is damaged: the event at position 18 is damaged`,
  );
});

test.each<[string, (tables: Tables) => Promise<unknown>, string]>([
  [
    "a missing event",
    ({ events }) => events.remove(30),
    "the log goes on with position 31 after position 29",
  ],
  [
    "an event under another's position",
    ({ events }) => events.put(40, sealed(events.get(39))),
    'the event at position 40 (stream "s-2"): it says that it is at position 39',
  ],
  [
    "a missing index entry",
    ({ index }) => index.remove([2, 7]),
    'the event at position 23 (stream "s-1"): the index has nothing for its revision 7',
  ],
  [
    "a wrong index entry",
    ({ index }) => index.put([2, 7], encodePosition(22)),
    'the event at position 23 (stream "s-1"): the index has position 22 for its revision 7',
  ],
  [
    "an index entry too many",
    ({ index }) => index.put([2, 20], encodePosition(22)),
    'the head of stream "s-1": the index has a revision past its last, 19',
  ],
  [
    "a missing head",
    ({ heads }) => heads.remove("s-1"),
    'the event at position 2 (stream "s-1"): its stream has no head',
  ],
  [
    "a head that is behind",
    ({ heads }) => heads.put("s-1", encodeHead({ ...NEW_STREAM, number: 2, last: 18 })),
    'the event at position 59 (stream "s-1"): its revision 19 is past its stream\'s last, 18',
  ],
  [
    "a head that is ahead",
    ({ heads }) => heads.put("s-1", encodeHead({ ...NEW_STREAM, number: 2, last: 20 })),
    'the head of stream "s-1": the index does not have its last revision, 20',
  ],
  [
    "a head without its metadata",
    ({ heads }) => heads.put("s-0", encodeHead({ ...NEW_STREAM, number: 1, last: 19 })),
    'the head of stream "s-0": its metadata is at position 61, not 0',
  ],
  [
    "a head without its tombstone",
    ({ heads }) => heads.put("s-2", encodeHead({ ...NEW_STREAM, number: 3, last: 19 })),
    'the event at position 62 (stream "s-2"): its stream is not tombstoned',
  ],
  [
    "a head that nothing was written for",
    ({ heads }) => heads.put("t", encodeHead({ ...NEW_STREAM, tombstoned: true })),
    "2 streams are tombstoned by their head, 1 by an event",
  ],
])("verify finds %s", async (_, change, finding) => {
  const dir = await filledFolder();
  await tamper(dir, change);
  expect((await verifyFolder(dir)).damage).toContain(finding);
});

test("a file that was cut is refused, and verify says so", async () => {
  const dir = await filledFolder();
  truncateSync(storeFile(dir), statSync(storeFile(dir)).size / 2);
  await expect(startNode({ dir, port: 0 })).rejects.toThrow(`the folder ${dir} is damaged: `);
  expect((await verifyFolder(dir)).damage).not.toEqual([]);
});

test.each([
  ["an empty file", Buffer.of()],
  ["something else", Buffer.alloc(8192, "events? what events? ")],
])("%s in the place of the events is refused and left as it is", async (_, content) => {
  const dir = await filledFolder();
  writeFileSync(storeFile(dir), content);
  await expect(startNode({ dir, port: 0 })).rejects.toThrow("does not begin as an event store's file");
  expect((await verifyFolder(dir)).damage).toHaveLength(1);
  expect(readFileSync(storeFile(dir))).toEqual(content);
});

test("a folder in which a node died while it made the file is begun anew", async () => {
  const dir = temporaryFolder();
  writeFileSync(`${storeFile(dir)}.new`, "half of a");
  const { client } = await startTestNode(dir);
  await client.appendToStream("s", jsonEvent({ type: "T", data: {} }));
});

test("verify survives pages of nonsense", async () => {
  const dir = await filledFolder();
  const { size } = statSync(storeFile(dir));
  // All but the two pages that a file begins with.
  overwrite(dir, 8192, Buffer.alloc(size - 8192, 0xd7));
  expect((await verifyFolder(dir)).damage).not.toEqual([]);
});
