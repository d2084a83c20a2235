import { script, soon } from "@carillon/testkit";
import { expect, onTestFinished, test } from "vitest";
import { runningWorkers } from "./running-workers.ts";
import { processGroup } from "./supervisor/process-group.ts";

const living = `console.log("ready", process.env.KEY); setInterval(() => {}, 1000);`;

/** A worker of this source that runs until the end of the test; gives what it and its supervisor said. */
function oneWorker(source: string) {
  const lines: string[] = [];
  const pids: number[] = [];
  const group = processGroup(
    (_, line) => lines.push(line),
    (_, pid) => pids.push(pid),
  );
  onTestFinished(() => group.stop());
  const spec = { ...script(source), env: { KEY: "first" } };
  return { workers: runningWorkers(group, [spec]), spec, group, lines, pids };
}

test("a worker is restarted with the spec that it has by now", async () => {
  const { workers, spec, lines, pids } = oneWorker(living);
  await workers.start(soon(), false);
  await workers.restart("script", soon());
  await workers.replace([{ ...spec, env: { KEY: "second" } }]);
  await workers.restart("script", soon());
  expect(lines).toEqual(["ready first", "ready first", "ready second", "ready second"]);
  expect(new Set(pids).size).toBe(4);
});

test("a worker that cannot be started ends the start, unless that is tolerated; a restart tries it again", async () => {
  const broken = `process.exit(78);`;
  await expect(oneWorker(broken).workers.start(soon(), false)).rejects.toThrow("it is not started again");

  const { workers, group, pids } = oneWorker(broken);
  await workers.start(soon(), true);
  expect(await group.notReady()).toEqual(["script"]);
  await expect(workers.restart("script", soon())).rejects.toThrow("it is not started again");
  expect(pids).toHaveLength(2);
});
