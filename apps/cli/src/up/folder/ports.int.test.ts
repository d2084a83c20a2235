import { createServer } from "node:net";
import { temporaryFolder } from "@carillon/testkit";
import { expect, onTestFinished, test } from "vitest";
import { choosePorts } from "./ports.ts";

const names = ["gateway", "api", "auth"] as const;

function occupy(port: number): Promise<void> {
  const server = createServer();
  onTestFinished(() => void server.close());
  return new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
}

/** A free port, with free ones behind it: other tests and platforms take some of the range as well. */
async function startOfFreeRow(): Promise<number> {
  for (;;) {
    const folder = temporaryFolder();
    const { gateway: base } = await choosePorts(folder, ["gateway"], undefined);
    const free = await choosePorts(folder, names, base).then(
      () => true,
      () => false,
    );
    if (free) return base;
  }
}

test("a folder keeps its ports", async () => {
  const folder = temporaryFolder();
  const ports = await choosePorts(folder, names, undefined);
  expect(new Set(Object.values(ports)).size).toBe(3);
  expect(await choosePorts(folder, names, undefined)).toEqual(ports);
});

test("a remembered port that another process has taken is replaced, the others stay", async () => {
  const folder = temporaryFolder();
  const before = await choosePorts(folder, names, undefined);
  await occupy(before.api);
  const after = await choosePorts(folder, names, undefined);
  expect(after.api).not.toBe(before.api);
  expect({ ...after, api: 0 }).toEqual({ ...before, api: 0 });
});

test("with a base they are consecutive, and a taken one is named", async () => {
  const folder = temporaryFolder();
  const base = await startOfFreeRow();
  expect(await choosePorts(folder, names, base)).toEqual({ gateway: base, api: base + 1, auth: base + 2 });

  await occupy(base + 1);
  await expect(choosePorts(folder, names, base)).rejects.toThrow(
    `these ports are in use: ${base + 1}; choose another --port-base`,
  );
});
