import { describe, expect, test } from "vitest";
import { denoServeArgs } from "./deno-serve.ts";

const netOf = (settings: Record<string, string>) =>
  denoServeArgs({ name: "w", module: "w.ts", port: 7001, settings }).find((argument) =>
    argument.startsWith("--allow-net"),
  );

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
  const worker = { name: "w", module: "w.ts", port: 7001, settings: {} };
  expect(denoServeArgs(worker).join(" ")).not.toContain("--allow-ffi");
  expect(denoServeArgs({ ...worker, native: true }).join(" ")).toContain("--allow-ffi=");
});

test("the files of its threads, and their priority, are only for the worker that starts threads", () => {
  const worker = { name: "w", module: "w.ts", port: 7001, settings: {} };
  expect(denoServeArgs(worker).join(" ")).not.toMatch(/--allow-read|setPriority/);
  const args = denoServeArgs({ ...worker, threads: ["/a/thread.ts", "/a/sums.ts"] });
  expect(args).toContain("--allow-read=/a/thread.ts,/a/sums.ts");
  expect(args).toContain("--allow-sys=hostname,setPriority");
});
