import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { AccessDeniedError } from "@eventstore/db-client";
import { expect, onTestFinished, test, vi } from "vitest";
import { storeFile } from "./storage/store-file.ts";
import { asUser, connect, event, kill, names, spawnNode, startTestNode, temporaryFolder } from "./testing.ts";

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
  [
    "a certificate without its key",
    ["--dir", "d", "--tls-cert", "c"],
    "--tls-cert and --tls-key need each other",
  ],
  ["a kind of TLS that is none", ["--dir", "d", "--tls", "yes"], '--tls takes "generated": yes'],
  ["a backup to nowhere", ["backup", "--dir", "d"], "--to is missing"],
  ["user projections", ["--dir", "d", "--run-projections", "All"], "there are no user projections here: All"],
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

test("verify says that a folder is whole, also while a node runs on it, or what is damaged", async () => {
  const dir = temporaryFolder();
  const node = await spawnNode(dir);
  await connect(node.url).appendToStream("s", [event("a"), event("b")]);
  expect(await run("verify", "--dir", dir)).toEqual({
    code: 0,
    stdout: "clean: 2 events in 1 streams\n",
    stderr: "",
  });
  await kill(node.process);
  truncateSync(storeFile(dir), 100);
  const { code, stdout, stderr } = await run("verify", "--dir", dir);
  expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
  expect(stdout).toMatch(/^damaged: .+\n$/);
});

test("backup copies a folder on which a node runs, and says what it copied", async () => {
  const dir = temporaryFolder();
  const node = await spawnNode(dir);
  await connect(node.url).appendToStream("s", [event("a"), event("b")]);
  const to = temporaryFolder();
  const done = { code: 0, stdout: "copied and checked: 2 events in 1 streams\n", stderr: "" };
  expect(await run("backup", "--dir", dir, "--to", to)).toEqual(done);
  const copy = await startTestNode(to);
  expect(await names(copy.client.readStream("s"))).toEqual(["a", "b"]);
  const refused = { code: 1, stdout: "", stderr: `the folder ${to} has events already\n` };
  expect(await run("backup", "--dir", dir, "--to", to)).toEqual(refused);
});

test.each(["verify", "backup"])(
  "%s of a folder without events is one clear line and exit code 1",
  async (name) => {
    const empty = temporaryFolder();
    const to = name === "backup" ? ["--to", temporaryFolder()] : [];
    expect(await run(name, "--dir", empty, ...to)).toEqual({
      code: 1,
      stdout: "",
      stderr: `the folder ${empty} has no events\n`,
    });
  },
);

test("a port that is taken is one clear line and exit code 1", async () => {
  const { port } = await startTestNode();
  const { code, stderr } = await run("--dir", temporaryFolder(), "--port", String(port));
  expect(code).toBe(1);
  expect(stderr).toMatch(new RegExp(`^.*127\\.0\\.0\\.1:${port}.*\n$`));
});

test("the command serves over TLS, with a certificate that it keeps or with one that it is given", async () => {
  const dir = temporaryFolder();
  const generated = await spawnNode(dir, 0, "inherit", ["--tls", "generated"]);
  await connect(asUser(generated.url, "admin")).appendToStream("s", event("a"));
  const certificate = join(dir, "tls", "ca.crt");
  const before = readFileSync(certificate, "utf8");
  await kill(generated.process);

  const again = await spawnNode(dir, 0, "inherit", ["--tls", "generated"]);
  expect(await names(connect(asUser(again.url, "admin")).readStream("s"))).toEqual(["a"]);
  expect(readFileSync(certificate, "utf8")).toBe(before);
  await kill(again.process);

  const files = ["--tls-cert", certificate, "--tls-key", join(dir, "tls", "node.key")];
  const given = await spawnNode(dir, 0, "inherit", files);
  expect(given.url).toMatch(/\?tls=true$/);
  const url = `${asUser(given.url, "admin")}&tlsCAFile=${encodeURIComponent(certificate)}`;
  expect(await names(connect(url).readStream("s"))).toEqual(["a"]);
});

test("the command takes the first passwords from its environment", async () => {
  vi.stubEnv("EVENTSTORE_DEFAULT_OPS_PASSWORD", "hidden");
  onTestFinished(() => void vi.unstubAllEnvs());
  const { url } = await spawnNode(temporaryFolder(), 0, "inherit", ["--tls", "generated"]);
  await connect(asUser(url, "ops", "hidden")).appendToStream("s", event("a"));
  const refused = connect(asUser(url, "ops")).appendToStream("s", event("b"));
  await expect(refused).rejects.toBeInstanceOf(AccessDeniedError);
});
