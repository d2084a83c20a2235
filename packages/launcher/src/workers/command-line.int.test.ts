import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, soon, superviseForTest, temporaryFolder } from "@carillon/testkit";
import { expect, test } from "vitest";
import { workerProcess } from "./command-line.ts";

/** What a worker sees when it tries the doors. */
const source = `
  const attempt = async (action) => { try { return await action(); } catch (error) { return error.name; } };
  export default {
    async fetch(request) {
      if (new URL(request.url).pathname === "/readyz") return new Response("ready");
      return Response.json({
        own: process.env.OWN,
        path: process.env.PATH ?? null,
        passwd: await attempt(() => Deno.readTextFile("/etc/passwd")),
        write: await attempt(() => Deno.writeTextFile("/tmp/carillon-escape", "")),
        run: await attempt(() => new Deno.Command("true").output()),
        elsewhere: await attempt(() => fetch("http://127.0.0.1:" + process.env.FORBIDDEN_PORT)),
        listen: await attempt(() => Deno.listen({ hostname: "127.0.0.1", port: 0 })),
      });
    },
  };`;

test("a worker has its settings and its address, and no other door", async () => {
  const folder = temporaryFolder();
  const module = join(folder, "worker.ts");
  writeFileSync(module, source);
  const [port, forbidden] = [await freePort(), await freePort()];
  const { supervised } = superviseForTest(
    workerProcess({
      name: "worker",
      manifest: { module, runtime: "deno", settings: ["OWN", "FORBIDDEN_PORT"] },
      port,
      settings: { OWN: "mine", FORBIDDEN_PORT: String(forbidden) },
    }),
  );
  await supervised.whenReady(soon());

  const response = await fetch(`http://127.0.0.1:${port}/`);
  expect(await response.json()).toEqual({
    own: "mine",
    path: null,
    passwd: "NotFound",
    write: "NotCapable",
    run: "NotCapable",
    elsewhere: "NotCapable",
    listen: "NotCapable",
  });
});
