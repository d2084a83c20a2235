import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { startPostgres, type TestPostgres } from "@carillon/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const program = fileURLToPath(new URL("./testing/outages.ts", import.meta.url));

const outages = [
  "backends end in the middle of a statement",
  "backends end between two statements of a transaction, while others wait for a connection",
  "a transaction whose backend ended does not go on in somebody else's",
  "backends end while they are idle",
  "backends end again and again under load",
  "the server is killed and comes back",
  "the server is not there at the start",
  "a statement takes too long",
  "the pool is closed in the middle",
  "no connection comes free in time",
  "a transaction that the server rolls back instead",
];

const commands = {
  node: [process.execPath],
  deno: [
    `${root}node_modules/deno/deno`,
    ...["run", "--node-modules-dir=manual", "--no-remote", "--no-lock", "--no-prompt"],
    ...["--allow-net=127.0.0.1", "--ignore-env", `--allow-read=${root}`, "--ignore-read"],
    "--allow-sys=hostname",
  ],
} as const;

let postgres: TestPostgres;
let control: Server;

beforeAll(async () => {
  postgres = await startPostgres();
  control = createServer(async ({ url }, response) => {
    try {
      await (url === "/kill9" ? postgres.kill9() : postgres.restart());
      response.end("done");
    } catch (error) {
      response.end(String(error));
    }
  });
  await once(control.listen(0, "127.0.0.1"), "listening");
});
afterAll(async () => {
  control.close();
  await postgres.stop();
});

describe.each(["node", "deno"] as const)(
  "a worker on %s survives, with every connection of its pool:",
  (runtime) => {
    test.each(outages)("%s", async (outage) => {
      const [command, ...args] = commands[runtime];
      const { port } = control.address() as AddressInfo;
      const { PATH = "", HOME = "" } = process.env;
      const child = spawn(command, [...args, program, outage, postgres.url, `http://127.0.0.1:${port}`], {
        cwd: root,
        env: { PATH, HOME, NO_COLOR: "1" },
        stdio: ["ignore", "pipe", "pipe"],
        // A call that never settles: the test says what was printed instead of just ending.
        timeout: 45_000,
        killSignal: "SIGKILL",
      });
      const [stdout, stderr] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, "exit"),
      ]);
      expect({ stdout, stderr, code: child.exitCode }).toEqual({ stdout: "survived\n", stderr: "", code: 0 });
    });
  },
);
