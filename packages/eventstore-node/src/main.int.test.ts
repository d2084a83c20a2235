import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { connect, event, names, spawnNode, startTestNode, temporaryFolder } from "./testing.ts";

/** Runs the command to its end. */
async function run(...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts"), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [[code], stdout, stderr] = await Promise.all([
    once(child, "exit"),
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code, stdout, stderr };
}

test.each(["SIGINT", "SIGTERM"] as const)(
  "the command serves until %s and then exits with 0",
  async (signal) => {
    const node = await spawnNode(temporaryFolder());
    const client = connect(node.url);
    await client.appendToStream("s", event("a"));
    expect(await names(client.readStream("s"))).toEqual(["a"]);
    const exited = once(node.process, "exit");
    node.process.kill(signal);
    expect(await exited).toEqual([0, null]);
  },
);

test.each([
  ["no folder", [], "--dir is missing"],
  ["a port that is none", ["--dir", "d", "--port", "99999"], "--port is not a port: 99999"],
  ["an option that it does not know", ["--colour", "blue"], "'--colour'"],
])("wrong usage, %s, is one clear line and exit code 2", async (_, args, message) => {
  const { code, stdout, stderr } = await run(...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain(message);
  expect(stderr).toContain("usage: eventstore-node --dir DIR");
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
});

test("a folder that is open in another node is one clear line and exit code 1", async () => {
  const dir = temporaryFolder();
  await startTestNode(dir);
  const { code, stderr } = await run("--dir", dir, "--port", "0");
  expect(code).toBe(1);
  expect(stderr).toBe(`the folder ${dir} is already open in another event store node\n`);
});

test("a port that is taken is one clear line and exit code 1", async () => {
  const { port } = await startTestNode();
  const { code, stderr } = await run("--dir", temporaryFolder(), "--port", String(port));
  expect(code).toBe(1);
  expect(stderr).toMatch(new RegExp(`^.*127\\.0\\.0\\.1:${port}.*\n$`));
});
