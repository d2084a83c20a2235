import { randomInt } from "node:crypto";
import { expect, test } from "vitest";
import { all, connect, event, eventually, kill, nameOf, spawnNode, temporaryFolder } from "../testing.ts";
import { verifyFolder } from "./integrity/verify.ts";

/** How often the node is killed; `CRASH_CYCLES=200` for the long run. */
const CYCLES = Number(process.env.CRASH_CYCLES ?? 20);
const WRITERS = 24;

/**
 * Each writer appends to a stream of its own, again and again the same append until it is acknowledged, while the node
 * is killed over and over. Every append must then be there exactly once, in the order of its acknowledgement.
 */
test("kill -9 during appends loses nothing that was acknowledged and repeats nothing that was retried", {
  timeout: 300_000 + CYCLES * 5_000,
}, async () => {
  const dir = temporaryFolder();
  let node = await spawnNode(dir);
  const port = Number(new URL(node.url.replace("esdb", "http")).port);
  const client = connect(`${node.url}&defaultDeadline=1000`);
  const acknowledged = new Map<string, string[]>();
  let isStopping = false;

  const write = async (stream: string, mode: "any" | "revision") => {
    const done: string[] = [];
    acknowledged.set(stream, done);
    while (!isStopping) {
      const names = [`${done.length}`, `${done.length + 1}`];
      const events = names.map((name) => event(name));
      const revision = done.length === 0 ? "no_stream" : BigInt(done.length - 1);
      const expectedRevision = mode === "any" ? "any" : revision;
      await eventually(() => client.appendToStream(stream, events, { expectedRevision }));
      done.push(...names);
    }
  };
  const writers = Array.from({ length: WRITERS }, (_, n) =>
    write(`s-${n}`, n % 2 === 0 ? "any" : "revision"),
  );

  const total = () => [...acknowledged.values()].reduce((sum, names) => sum + names.length, 0);
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    const enough = total() + randomInt(1, 600);
    await eventually(() => expect(total()).toBeGreaterThan(enough));
    await kill(node.process);
    expect(await verifyFolder(dir)).toMatchObject({ damage: [] });
    node = await spawnNode(dir, port);
  }
  isStopping = true;
  await Promise.all(writers);

  const written = new Map<string, unknown[]>();
  for (const resolved of await all(client.readAll())) {
    const { streamId = "", revision } = resolved.event ?? {};
    const names = written.get(streamId) ?? [];
    written.set(streamId, names);
    expect(revision).toBe(BigInt(names.length));
    names.push(nameOf(resolved));
  }
  expect(written).toEqual(acknowledged);
});
