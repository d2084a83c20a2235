import { existsSync, readFileSync } from "node:fs";
import { getPriority } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setImmediate } from "node:timers/promises";
import { script, soon, superviseForTest, temporaryFolder, until } from "@carillon/testkit";
import { describe, expect, test } from "vitest";
import { identify } from "./process-identity.ts";

const living = `console.log("ready"); setInterval(() => {}, 1000);`;

describe("a supervised process", () => {
  test("is ready once it says so, and is gone after stop", async () => {
    const { supervised } = superviseForTest(script(living));
    await supervised.whenReady(soon());
    const pid = supervised.pid() ?? 0;
    expect(identify(pid)).toBeDefined();

    await supervised.stop();
    expect(identify(pid)).toBeUndefined();
    expect(supervised.pid()).toBeUndefined();
  });

  test("is started again after kill -9, with another pid", async () => {
    const { supervised, lines, pids } = superviseForTest(script(living));
    await supervised.whenReady(soon());
    await supervised.kill();
    expect(await supervised.isReady()).toBe(false);

    await supervised.whenReady(soon());
    expect(pids).toHaveLength(2);
    expect(pids[1]).toBe(supervised.pid());
    expect(lines).toContain("was ended by SIGKILL; starting it again in 100 ms");
  });

  test("makes way for its successor at once, and that is no death", async () => {
    const { supervised, lines, pids } = superviseForTest(script(living));
    await supervised.whenReady(soon());
    const next = script(`console.log("ready, and new"); setInterval(() => {}, 1000);`);
    await supervised.restart(next);
    expect(identify(pids[0] ?? 0)).toBeUndefined();

    await supervised.whenReady(soon());
    expect(lines).toEqual(["ready", "ready, and new"]);
    await supervised.kill();
    await until(
      "the new one is ready again",
      () => lines.filter((line) => line === "ready, and new").length === 2,
    );
  });

  test("lets others go first if it can wait, again after a restart", async () => {
    const { supervised, pids } = superviseForTest({ ...script(living), background: true });
    await supervised.whenReady(soon());
    await supervised.kill();
    await supervised.whenReady(soon());
    const pid = pids[1] ?? 0;
    expect(getPriority(pid)).toBe(10);
    if (existsSync("/proc/self/autogroup")) {
      await until("its session goes behind others", () =>
        / nice 10$/m.test(readFileSync(`/proc/${pid}/autogroup`, "utf8")),
      );
    }
  });

  test("has a longer pause after each death", async () => {
    // A shell starts quickly on a loaded machine too: a process that has lived for ten seconds is well, and its pauses begin anew.
    const spec = { ...script(""), command: "sh", args: ["-c", "echo ready; exit 3"] };
    const { lines } = superviseForTest(spec);
    const pauses = () => lines.flatMap((line) => /exit code 3.* in (\d+) ms/.exec(line)?.[1] ?? []);
    await until("it has paused three times", () => pauses().length >= 3);
    expect(pauses().slice(0, 3)).toEqual(["100", "200", "400"]);
  });

  test("is not started again when its settings are wrong", async () => {
    const { supervised, pids } = superviseForTest(
      script(`console.error("settings: NATS_URL is missing"); process.exit(78);`),
    );
    await expect(supervised.whenReady(soon())).rejects.toThrow(
      "script ended with exit code 78; it is not started again. It said last: settings: NATS_URL is missing",
    );
    expect(pids).toHaveLength(1);
  });

  test("is given up when it dies five times without getting ready", async () => {
    const { supervised, pids } = superviseForTest(script(`process.exit(1);`));
    await expect(supervised.whenReady(soon())).rejects.toThrow("5 times without getting ready");
    expect(pids).toHaveLength(5);
  });

  test("is given up when there is no such program", async () => {
    const { supervised } = superviseForTest({ ...script(""), command: "no-such-program" });
    await expect(supervised.whenReady(soon())).rejects.toThrow(
      "script cannot be started: spawn no-such-program ENOENT",
    );
  });

  test("is started anew by a restart after it was given up", async () => {
    const { supervised, pids } = superviseForTest(script(`process.exit(78);`));
    await expect(supervised.whenReady(soon())).rejects.toThrow("it is not started again");
    await supervised.restart(script(living));
    await supervised.whenReady(soon());
    expect(pids).toHaveLength(2);
    await supervised.stop();
    expect(identify(pids[1] ?? 0)).toBeUndefined();
  });

  test("does not wait for the end of its pause when it is restarted", async () => {
    const { supervised, lines } = superviseForTest(script(living));
    await supervised.whenReady(soon());
    await supervised.kill();
    await setImmediate();
    expect(lines).toContain("was ended by SIGKILL; starting it again in 100 ms");
    const prepared = Promise.withResolvers<string>();
    await supervised.restart({ ...script(living), prepare: async () => prepared.resolve("started") });
    expect(await Promise.race([prepared.promise, setImmediate("still pausing")])).toBe("started");
  });

  test("may finish its work on SIGTERM", async () => {
    const done = join(temporaryFolder(), "done");
    const { supervised } = superviseForTest(
      script(`
        import { writeFileSync } from "node:fs";
        process.on("SIGTERM", () => setTimeout(() => { writeFileSync(${JSON.stringify(done)}, "drained"); process.exit(0); }, 100));
        ${living}`),
    );
    await supervised.whenReady(soon());
    await supervised.stop();
    expect(readFileSync(done, "utf8")).toBe("drained");
  });

  test("is killed when it does not stop in time", async () => {
    const { supervised, lines } = superviseForTest({
      ...script(`process.on("SIGTERM", () => console.log("no")); ${living}`),
      // Time for it to hear the SIGTERM, also on a loaded machine.
      stopPatienceMs: 2_000,
    });
    await supervised.whenReady(soon());
    const pid = supervised.pid() ?? 0;
    await supervised.stop();
    expect(identify(pid)).toBeUndefined();
    expect(lines).toContain("no");
  });

  test("is not started again when it is stopped during the pause before a restart", async () => {
    const { supervised, pids } = superviseForTest(script(living));
    await supervised.whenReady(soon());
    await supervised.kill();
    await supervised.stop();
    expect(pids).toHaveLength(1);
    expect(supervised.pid()).toBeUndefined();
  });

  test("gets its own environment and nothing of ours", async () => {
    process.env.CARILLON_TEST_SECRET = "ours";
    const { supervised, lines } = superviseForTest({
      ...script(`console.log(JSON.stringify(Object.keys(process.env))); ${living}`),
      env: { PORT: "1" },
    });
    await supervised.whenReady(soon());
    delete process.env.CARILLON_TEST_SECRET;
    expect(lines[0]).toBe('["PORT"]');
  });

  test("runs its preparation before every start", async () => {
    let prepared = 0;
    const { supervised } = superviseForTest({
      ...script(living),
      prepare: async () => {
        prepared += 1;
      },
    });
    await supervised.whenReady(soon());
    await supervised.kill();
    await supervised.whenReady(soon());
    expect(prepared).toBe(2);
  });
});
