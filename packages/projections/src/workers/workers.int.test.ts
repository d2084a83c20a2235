import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { TenantId } from "@carillon/domain";
import { freePort } from "@carillon/platform/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Pipeline, passwords, startPipeline } from "../testing/pipeline.ts";
import { enrollTenant, enrollUser } from "../testing/school.ts";
import { until } from "../testing/until.ts";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const root = path("../../../..");
const deno = `${root}node_modules/deno/deno`;

let pipeline: Pipeline;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  pipeline = await startPipeline();
});
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await pipeline.stop();
});

interface WorkerProcess {
  readonly url: string;
  readonly exited: Promise<number | null>;
  output(): string;
  end(signal: NodeJS.Signals): Promise<number | null>;
}

type Runtime = "deno" | "node";

async function startWorker(
  runtime: Runtime,
  worker: "relay" | "projector",
  settings: Record<string, string>,
): Promise<WorkerProcess> {
  const port = await freePort();
  const module = path(`./${worker}.ts`);
  const servers = Object.values(settings).flatMap((value) => {
    const host = /^\w+:\/\/(?:[^@/]*@)?(?<host>[^/?]+)/.exec(value)?.groups?.host;
    return host ? [host] : [];
  });
  const permissions = [
    ...["--node-modules-dir=manual", "--no-remote", "--no-lock", "--no-prompt"],
    `--allow-net=127.0.0.1:${port},${servers.join(",")}`,
    ...[`--allow-env=${Object.keys(settings).join(",")}`, "--ignore-env"],
    ...[`--allow-read=${root}`, "--ignore-read", "--allow-sys=hostname"],
  ];
  const [command, args] =
    runtime === "deno"
      ? [deno, ["serve", ...permissions, "--host", "127.0.0.1", "--port", String(port), module]]
      : [process.execPath, [path("../testing/serve-node.ts"), module, String(port)]];
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(command, args, {
    cwd: root,
    env: { PATH, HOME, NO_COLOR: "1", ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.add(child);
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      printed += chunk;
    });
  }
  const exited = once(child, "exit").then(([code]) => {
    children.delete(child);
    return code as number | null;
  });
  return {
    url: `http://127.0.0.1:${port}`,
    exited,
    output: () => printed,
    end(signal) {
      child.kill(signal);
      return exited;
    },
  };
}

const ready = (worker: WorkerProcess) =>
  until(`a worker is ready: ${worker.output()}`, async () => (await fetch(`${worker.url}/readyz`)).ok);

const log = () => ({ EVENTSTORE_URL: pipeline.eventStore.url, NATS_URL: pipeline.nats.url });

const projector = (role = "carillon_projector", password = passwords.projectorPassword) => ({
  ...log(),
  DATABASE_URL: pipeline.postgres.urlAs(role, password, "live"),
  PROJECTIONS: "directory,submissions",
});

const count = async (tenantId: TenantId, atLeast: bigint) => {
  const { value, stale } = await pipeline.live.read(
    tenantId,
    { projection: "directory", atLeast, patienceMs: 60_000 },
    (tx) => tx.selectFrom("directory.people").select("user_id").execute(),
  );
  expect(stale).toBe(false);
  return value.length;
};

test.each(["deno", "node"] as const)(
  "on %s, relay and projector survive kill -9 and stop cleanly",
  async (runtime) => {
    const tenantId = await enrollTenant(pipeline.eventLog, `on-${runtime}`);
    let relay = await startWorker(runtime, "relay", log());
    let view = await startWorker(runtime, "projector", projector());
    await Promise.all([relay, view].map(ready));

    const written = Promise.all(
      Array.from({ length: 200 }, (_, index) => enrollUser(pipeline.eventLog, tenantId, `person-${index}`)),
    );
    await Promise.all([relay.end("SIGKILL"), view.end("SIGKILL")]);
    relay = await startWorker(runtime, "relay", log());
    view = await startWorker(runtime, "projector", projector());
    await written;
    const { position } = await enrollUser(pipeline.eventLog, tenantId, "last");
    expect(await count(tenantId, position)).toBe(201);

    const metrics = await (await fetch(`${view.url}/metrics`)).text();
    expect(metrics).toMatch(/carillon_projection_lag_events\{projection="directory",partition="\d",.*\} 0/);
    expect(metrics).toMatch(/carillon_projection_events_total\{projection="directory",.*\} [1-9]/);
    expect(metrics).toMatch(/carillon_projection_stopped\{projection="submissions",partition="7",.*\} 0/);
    // The relay counts what the bus has confirmed, which may be later than the view has it.
    await expect
      .poll(async () => (await fetch(`${relay.url}/metrics`)).text())
      .toMatch(/carillon_relay_events_total\{.*\} [1-9]/);

    expect(await Promise.all([relay.end("SIGTERM"), view.end("SIGTERM")])).toEqual([0, 0]);
  },
);

test.each(["deno", "node"] as const)(
  "on %s, a role that could bypass row-level security is refused",
  async (runtime) => {
    const worker = await startWorker(runtime, "projector", projector("carillon_owner", "owner"));
    expect(await worker.exited).toBe(78);
    expect(worker.output()).toContain("the database role carillon_owner owns tables");
  },
);

test.each([
  ["a name that is none", "directory,nothing", '"nothing" is no projection'],
  ["projections of two databases", "directory,credentials", "different databases"],
])("%s is refused", async (_, names, reason) => {
  const worker = await startWorker("node", "projector", { ...projector(), PROJECTIONS: names });
  expect(await worker.exited).toBe(78);
  expect(worker.output()).toContain(reason);
});

test("a projector waits for servers that are not there yet", async () => {
  await Promise.all([pipeline.postgres.kill9(), pipeline.nats.kill9()]);
  const worker = await startWorker("node", "projector", projector());
  await Promise.all([pipeline.postgres.restart(), pipeline.nats.restart()]);
  await ready(worker);
  expect(await worker.end("SIGTERM")).toBe(0);
});
