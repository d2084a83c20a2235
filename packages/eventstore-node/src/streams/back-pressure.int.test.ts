import { readFileSync } from "node:fs";
import { binaryEvent } from "@eventstore/db-client";
import { expect, test } from "vitest";
import { connect, eventually, spawnNode, temporaryFolder } from "../testing.ts";

const MIB = 1024 * 1024;

/** The anonymous memory of a process, in bytes. Only Linux tells. */
function anonymousMemory(pid: number | undefined): number {
  const kib = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib) * 1024;
}

test.runIf(process.platform === "linux")(
  "a subscriber that does not read costs the node no memory, and gets everything once it reads",
  async () => {
    const node = await spawnNode(temporaryFolder());
    const writer = connect(node.url);
    const reader = connect(node.url);
    const slow = reader.subscribeToAll();
    slow.pause();
    const data = new Uint8Array(MIB / 2);
    const append = async (events: number) => {
      for (let n = 0; n < events; n += 10) {
        const group = Array.from({ length: 10 }, () =>
          writer.appendToStream("s", binaryEvent({ type: "Big", data })),
        );
        await Promise.all(group);
      }
    };
    await append(200);
    const before = anonymousMemory(node.process.pid);
    await append(400);
    // Another 200 MiB wait for the subscriber.
    expect(anonymousMemory(node.process.pid) - before).toBeLessThan(100 * MIB);
    let received = 0;
    slow.on("data", () => received++).resume();
    await eventually(() => expect(received).toBe(600));
  },
);
