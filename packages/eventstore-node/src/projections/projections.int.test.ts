import { binaryEvent, type EventStoreDBClient, NotFoundError } from "@eventstore/db-client";
import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import type { NodeOptions } from "../index.ts";
import {
  all,
  connect,
  event,
  eventually,
  kill,
  nameOf,
  names,
  spawnNode,
  startTestNode,
  temporaryFolder,
} from "../testing.ts";

const started: Partial<NodeOptions> = { runProjections: "System", startStandardProjections: true };

/** The names of the events in a stream of links, once there are so many. */
async function linked(client: EventStoreDBClient, stream: string, count: number): Promise<unknown[]> {
  const read = () => all(client.readStream(stream, { resolveLinkTos: true }));
  return (
    await eventually(async () => {
      const events = await read();
      expect(events.length).toBeGreaterThanOrEqual(count);
      return events;
    })
  ).map(nameOf);
}

test("events are found by category and by type, in the order of the log", async () => {
  const { client } = await startTestNode(temporaryFolder(), started);
  await client.appendToStream("user-1", [event("a", "Born"), event("b", "Named")]);
  await client.appendToStream("user-2-x", event("c", "Born"));
  await client.appendToStream("nodash", event("d", "Born"));
  await client.appendToStream("-1", event("e", "Other"));
  expect(await linked(client, "$et-Other", 1)).toEqual(["e"]);
  expect(await linked(client, "$ce-user", 3)).toEqual(["a", "b", "c"]);
  expect(await linked(client, "$et-Born", 3)).toEqual(["a", "c", "d"]);
  const [first] = await all(client.readStream("$ce-user", { resolveLinkTos: true }));
  expect(first?.link).toMatchObject({ type: "$>", streamId: "$ce-user", revision: 0n });
  expect(first?.link?.metadata).toMatchObject({ $o: "user-1", $causedBy: first?.event?.id });
  expect(first?.link?.position?.commit).toBeGreaterThan(first?.event?.position?.commit ?? 0n);
});

test("a subscriber to a category hears of new events", async () => {
  const { client } = await startTestNode(temporaryFolder(), started);
  const heard = all(client.subscribeToStream("$ce-user", { resolveLinkTos: true }).take(2));
  await client.appendToStream("user-1", event("a"));
  await client.appendToStream("user-2", event("b"));
  expect((await heard).map(nameOf)).toEqual(["a", "b"]);
});

test("a link is in the category of its stream with what it stands for, and in no type", async () => {
  const { client } = await startTestNode(temporaryFolder(), started);
  await client.appendToStream("user-1", event("a"));
  await client.appendToStream("copy-1", binaryEvent({ type: "$>", data: Buffer.from("0@user-1") }));
  expect(await linked(client, "$ce-copy", 1)).toEqual(["a"]);
  const [link] = await all(client.readStream("$ce-copy"));
  expect(Buffer.from(link?.event?.data as Uint8Array).toString()).toBe("0@user-1");
});

test("the end of a stream is in its category and among the deleted", async () => {
  const { client } = await startTestNode(temporaryFolder(), started);
  await client.appendToStream("user-1", event("a"));
  await client.deleteStream("user-1");
  await client.appendToStream("user-2", event("b"));
  await client.tombstoneStream("user-2");
  await linked(client, "$et-$deleted", 2);
  const targets = async (stream: string) =>
    (await all(client.readStream(stream))).map(({ event }) =>
      Buffer.from(event?.data as Uint8Array).toString(),
    );
  expect(await targets("$et-$deleted")).toEqual(["0@user-1", "9223372036854775807@user-2"]);
  expect(await targets("$ce-user")).toEqual([
    "0@user-1",
    "0@$$user-1",
    "0@user-2",
    "9223372036854775807@user-2",
  ]);
});

test("without them nothing is linked, and each call for them says so", async () => {
  const { client } = await startTestNode();
  await client.appendToStream("user-1", event("a"));
  const refused = {
    code: status.UNIMPLEMENTED,
    message: expect.stringContaining("--run-projections System"),
  };
  await expect(client.listProjections()).rejects.toMatchObject(refused);
  await expect(client.enableProjection("$by_category")).rejects.toMatchObject(refused);
  expect(await names(client.readAll())).toEqual(["a"]);
});

test("they are switched on and off, go on where they were, and remember it over a restart", async () => {
  const dir = temporaryFolder();
  const system: Partial<NodeOptions> = { runProjections: "System" };
  const first = await startTestNode(dir, system);
  await first.client.appendToStream("user-1", event("a"));
  expect((await first.client.listProjections()).map(({ name, status }) => `${name} ${status}`)).toEqual([
    "$by_category Stopped",
    "$by_event_type Stopped",
  ]);
  await first.client.enableProjection("$by_category");
  expect(await linked(first.client, "$ce-user", 1)).toEqual(["a"]);
  await first.client.disableProjection("$by_category");
  await first.client.appendToStream("user-1", event("b"));
  expect(await first.client.getProjectionStatus("$by_category")).toMatchObject({
    projectionStatus: "Stopped",
  });
  await first.client.enableProjection("$by_category");
  await first.stop();
  const second = await startTestNode(dir, system);
  expect(await linked(second.client, "$ce-user", 2)).toEqual(["a", "b"]);
  await eventually(async () =>
    expect(await second.client.getProjectionStatus("$by_category")).toMatchObject({
      projectionStatus: "Running",
      progress: 100,
    }),
  );
});

test("projections of your own are refused with the reason, unknown ones are not found", async () => {
  const { client } = await startTestNode(temporaryFolder(), started);
  for (const options of [{}, { trackEmittedStreams: true, emitEnabled: true }]) {
    await expect(client.createProjection("mine", "fromAll()", options)).rejects.toMatchObject({
      code: status.UNIMPLEMENTED,
      message: expect.stringContaining("JavaScript"),
    });
  }
  await expect(client.getProjectionStatus("mine")).rejects.toBeInstanceOf(NotFoundError);
  await expect(client.enableProjection("mine")).rejects.toBeInstanceOf(NotFoundError);
});

test("every event is linked once, however often the node is killed", async () => {
  const dir = temporaryFolder();
  const flags = ["--run-projections", "System", "--start-standard-projections"];
  const written: string[] = [];
  for (let round = 0; round < 4; round++) {
    const node = await spawnNode(dir, 0, "inherit", flags);
    const client = connect(node.url);
    for (let n = 0; n < 60; n++) {
      const name = `${round}-${n}`;
      await client.appendToStream(`user-${n % 7}`, event(name));
      written.push(name);
    }
    await kill(node.process);
  }
  const { client } = await startTestNode(dir, started);
  expect(await linked(client, "$ce-user", written.length)).toEqual(written);
  expect(await linked(client, "$et-Happened", written.length)).toEqual(written);
});
