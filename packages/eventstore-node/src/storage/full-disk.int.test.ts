import { execFileSync } from "node:child_process";
import { binaryEvent } from "@eventstore/db-client";
import { expect, test } from "vitest";
import { all, connect, event, names, spawnNode, temporaryFolder } from "../testing.ts";
import { verifyFolder } from "./integrity/verify.ts";

const MIB = 1024 * 1024;

/** Lets the files of a process grow up to `bytes`: past that, its writes fail as on a full disk. */
function limitFiles(pid: number | undefined, bytes: number | "unlimited"): void {
  execFileSync("prlimit", ["--pid", String(pid), `--fsize=${bytes}:unlimited`]);
}

test.runIf(process.platform === "linux")(
  "when the disk is full appends fail, reads go on, and with room again appends do too",
  async () => {
    const dir = temporaryFolder();
    const node = await spawnNode(dir, 0, "ignore");
    // On a busy machine these appends take longer than the ten seconds that a client waits unless told.
    const client = connect(`${node.url}&defaultDeadline=120000`);
    await client.appendToStream("s", event("before"));
    limitFiles(node.process.pid, 2 * MIB);
    const append = () =>
      client.appendToStream("big", binaryEvent({ type: "Big", data: new Uint8Array(MIB / 2) }));
    const settled = await Promise.allSettled(Array.from({ length: 10 }, append));
    const refusals = settled.flatMap((append) =>
      append.status === "rejected" ? [append.reason.message] : [],
    );
    const written = settled.length - refusals.length;
    expect(refusals).not.toEqual([]);
    for (const refusal of refusals) expect(refusal).toContain("nothing was written, is the disk full?");
    expect(await names(client.readStream("s"))).toEqual(["before"]);

    limitFiles(node.process.pid, "unlimited");
    await append();
    expect(await all(client.readStream("big"))).toHaveLength(written + 1);
    expect((await all(client.readAll())).map(({ event }) => event?.position?.commit)).toEqual(
      Array.from({ length: written + 2 }, (_, n) => BigInt(n + 1)),
    );
    expect(await verifyFolder(dir)).toMatchObject({ events: written + 2, damage: [] });
  },
);
