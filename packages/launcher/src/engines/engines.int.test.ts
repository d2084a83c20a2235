import { statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { freePort, soon, superviseForTest, temporaryFolder, until } from "@carillon/testkit";
import { describe, expect, test } from "vitest";
import { natsProcess } from "./nats-server.ts";
import { postgresProcess } from "./postgres-cluster.ts";
import { postgresUser } from "./postgres-user.ts";

/** What a server says first, or as the answer to our first bytes. */
function greeting(port: number, first: Uint8Array = new Uint8Array()): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(first));
    socket.once("error", reject);
    socket.once("data", (data) => {
      socket.destroy();
      resolve(data.toString("latin1"));
    });
  });
}

/** Asks Postgres whether it speaks TLS: eight bytes, the length and a code; it answers one letter. */
const sslRequest = new Uint8Array([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

describe("the embedded Postgres", () => {
  test("starts in an empty folder, survives kill -9 and keeps its address", async () => {
    const folder = temporaryFolder();
    const port = await freePort();
    const cluster = join(folder, "postgres");
    const { supervised, pids } = superviseForTest(
      await postgresProcess({ folder: cluster, port, superuserPassword: "s", ownerPassword: "o" }),
    );
    await supervised.whenReady(soon());
    expect(await greeting(port, sslRequest)).toBe("N");
    expect(statSync(cluster).mode & 0o777).toBe(0o700);

    await supervised.kill();
    await supervised.whenReady(soon());
    expect(await greeting(port, sslRequest)).toBe("N");
    expect(new Set(pids).size).toBeGreaterThan(1);
  });
});

test("a pid file that names another program's process does not keep Postgres from starting again", async () => {
  const folder = temporaryFolder();
  const port = await freePort();
  const cluster = join(folder, "postgres");
  const spec = await postgresProcess({ folder: cluster, port, superuserPassword: "s", ownerPassword: "o" });
  const first = superviseForTest(spec).supervised;
  await first.whenReady(soon());
  await first.stop();

  // Of the same user: Postgres takes no other user's process for another Postgres.
  const { ids } = postgresUser([]);
  const stranger = superviseForTest({
    ...spec,
    command: "sleep",
    args: ["600"],
    ...(ids && { user: ids }),
  }).supervised;
  await until("the stranger runs", () => stranger.pid() !== undefined);
  writeFileSync(join(cluster, "postmaster.pid"), `${stranger.pid()}\n${cluster}\n`);

  const { supervised, pids } = superviseForTest(spec);
  await supervised.whenReady(soon());
  expect(pids).toHaveLength(1);
  expect(stranger.pid()).toBeDefined();
});

describe("nats-server", () => {
  test("starts with JetStream and big messages, and survives kill -9", async () => {
    const folder = temporaryFolder();
    const [port, monitoringPort] = [await freePort(), await freePort()];
    const { supervised } = superviseForTest(
      natsProcess({ folder: join(folder, "nats"), port, monitoringPort }),
    );
    await supervised.whenReady(soon());
    const info = async () => JSON.parse((await greeting(port)).replace(/^INFO /, ""));
    expect(await info()).toMatchObject({ jetstream: true, max_payload: 8_388_608 });

    await supervised.kill();
    await supervised.whenReady(soon());
    expect(await info()).toMatchObject({ jetstream: true });
  });
});
