import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { restartChanged } from "./restart-changed.ts";

const packages = new Map([
  ["api", new Set(["/carillon/packages/api", "/carillon/packages/domain"])],
  ["auth", new Set(["/carillon/packages/api", "/carillon/packages/domain"])],
  ["relay", new Set(["/carillon/packages/projections", "/carillon/packages/domain"])],
]);

/** Workers whose restarts end when the test says so; gives what was asked for and what was logged. */
function workersToRestart() {
  const asked: string[] = [];
  const lines: string[] = [];
  let end = Promise.withResolvers<void>();
  const changed = restartChanged({
    packages,
    restart: (name, signal) => {
      asked.push(name);
      end = Promise.withResolvers();
      signal.addEventListener("abort", () => end.reject(signal.reason));
      return end.promise;
    },
    log: (_, line) => lines.push(line),
    signal: new AbortController().signal,
  });
  return {
    asked,
    lines,
    change: async (...files: string[]) => {
      changed(files.map((file) => `/carillon/packages/${file}`));
      await setImmediate();
    },
    getsReady: async () => {
      end.resolve();
      await setImmediate();
    },
    fails: async () => {
      end.reject(new Error("given up"));
      await setImmediate();
    },
  };
}

test("the workers that run with a changed file are restarted, one after another", async () => {
  const { asked, lines, change, getsReady } = workersToRestart();
  await change("api/src/login/router.ts", "api-docs/src/page.ts");
  expect(asked).toEqual(["api"]);
  await getsReady();
  expect(asked).toEqual(["api", "auth"]);
  await getsReady();
  expect(asked).toEqual(["api", "auth"]);
  expect(lines).toEqual([
    "restarted api after packages/api/src/login/router.ts",
    "restarted auth after packages/api/src/login/router.ts",
  ]);
});

test("a change of what all are built on restarts all", async () => {
  const { asked, change, getsReady } = workersToRestart();
  await change("domain/src/ids.ts");
  for (const _ of packages) await getsReady();
  expect(asked).toEqual(["api", "auth", "relay"]);
});

test("a worker that does not get ready is tried again at the next change, and the others keep what they run", async () => {
  const { asked, lines, change, getsReady, fails } = workersToRestart();
  await change("api/src/login/router.ts");
  await fails();
  expect(asked).toEqual(["api"]);
  expect(lines).toEqual([
    "api is not ready after packages/api/src/login/router.ts; trying again after the next change: Error: given up",
  ]);

  await change("projections/src/relay.ts");
  for (const _ of packages) await getsReady();
  expect(asked.slice(1).toSorted()).toEqual(["api", "auth", "relay"]);
});

test("a change does not wait for a worker that gets ready slowly", async () => {
  const { asked, change, getsReady } = workersToRestart();
  await change("projections/src/relay.ts");
  await change("projections/src/relay.ts");
  expect(asked).toEqual(["relay", "relay"]);
  await getsReady();
  expect(asked).toEqual(["relay", "relay"]);
});
