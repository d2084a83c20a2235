import { describe, expect, test } from "vitest";
import { denoArguments, workerProcess } from "./command-line.ts";

const manifest = { module: "w.ts", runtime: "deno", settings: ["A", "B"] } as const;

const netOf = (settings: Record<string, string>) =>
  denoArguments(manifest, 7001, settings).find((argument) => argument.startsWith("--allow-net"));

describe("the network of a worker", () => {
  test.each([
    ["no server", {}, "--allow-net=127.0.0.1:7001"],
    ["one server, named twice", { A: "http://h:1/x", B: "http://h:1/y" }, "--allow-net=127.0.0.1:7001,h:1"],
    ["a login before the server", { A: "postgres://u:p@db:6432/live" }, "--allow-net=127.0.0.1:7001,db:6432"],
    [
      "the usual port",
      { A: "postgres://u:p@db/live", B: "nats://bus" },
      "--allow-net=127.0.0.1:7001,db:5432,bus:4222",
    ],
    ["every node of a cluster", { A: "esdb://a:1,b:2?tls=true" }, "--allow-net=127.0.0.1:7001,a:1,b:2"],
    ["a cluster found by name, whose nodes only it knows", { A: "esdb+discover://log" }, "--allow-net"],
    ["a key, which is no address", { A: '{"kty":"OKP"}' }, "--allow-net=127.0.0.1:7001"],
  ])("%s", (_, settings, expected) => expect(netOf(settings)).toBe(expected));
});

test("native code is only for the worker that loads an addon", () => {
  expect(denoArguments(manifest, 7001, {}).join(" ")).not.toContain("--allow-ffi");
  expect(denoArguments({ ...manifest, native: true }, 7001, {}).join(" ")).toContain("--allow-ffi=");
});

test("the files of its threads, and their priority, are only for the worker that starts threads", () => {
  expect(denoArguments(manifest, 7001, {}).join(" ")).not.toMatch(/--allow-read|setPriority/);
  const threads = { modules: ["/a/thread.ts", "/a/sums.ts"] };
  const args = denoArguments({ ...manifest, threads }, 7001, {});
  expect(args).toContain("--allow-read=/a/thread.ts,/a/sums.ts");
  expect(args).toContain("--allow-sys=hostname,setPriority");
});

test.each(["deno", "node"] as const)(
  "on %s a worker gets the settings that its manifest names, and no more",
  (runtime) => {
    const settings = { A: "1", B: undefined, C: "3" };
    const { env } = workerProcess({ name: "w", manifest, port: 7001, settings, runtime });
    expect(env).toMatchObject({ A: "1" });
    expect(Object.keys(env)).not.toEqual(expect.arrayContaining(["B"]));
    expect(Object.keys(env)).not.toEqual(expect.arrayContaining(["C"]));
  },
);
