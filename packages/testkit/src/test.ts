import { test as base } from "vitest";
import { type Pipeline, startPipeline } from "./pipeline/pipeline.ts";
import { newDatabases, newNatsAccount } from "./run/shared.ts";
import {
  startEventStore,
  startMigratedPostgres,
  startNats,
  type TestPostgres,
  type TestServer,
} from "./servers/servers.ts";
import { startServers } from "./workers/workers.ts";

/** A pipeline whose servers all belong to the file: it may kill each of them. */
export interface KillablePipeline extends Pipeline {
  readonly postgres: TestPostgres;
  readonly nats: TestServer;
}

/** A fixture of what is started for a file and stopped after it. */
const started =
  <Started extends { stop(): Promise<unknown> }>(start: () => Promise<Started>) =>
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads from this pattern what a fixture depends on.
  async ({}: object, { onCleanup }: { onCleanup(stop: () => unknown): void }): Promise<Started> => {
    const it = await start();
    onCleanup(() => it.stop());
    return it;
  };

/**
 * Vitest's `test` with real servers. Each is the file's own, made when it is first asked for and gone after the file;
 * what is not for killing is a part of servers that the whole run shares.
 *
 * @example
 * test("a bus keeps what it was given", async ({ natsUrl }) => {
 *   const bus = await connectBus(natsUrl, "test");
 * });
 */
export const test = base
  /** The address of a JetStream in the run's NATS server. */
  .extend("natsUrl", { scope: "file" }, () => newNatsAccount())
  /** Three migrated databases in the run's Postgres. */
  .extend("databases", { scope: "file" }, () => newDatabases())
  /** An event-store node, for killing too. */
  .extend(
    "eventStore",
    { scope: "file" },
    started(() => startEventStore()),
  )
  /** A NATS server, for killing too. */
  .extend(
    "natsServer",
    { scope: "file" },
    started(() => startNats()),
  )
  /** A Postgres with migrated databases, for killing too. */
  .extend(
    "postgres",
    { scope: "file" },
    started(() => startMigratedPostgres()),
  )
  /** Log, bus and databases to run a relay and projectors between, in this process. */
  .extend(
    "pipeline",
    { scope: "file" },
    started(() => startPipeline()),
  )
  /** The same on servers that are all for killing. */
  .extend("killable", { scope: "file" }, async ({ postgres, natsServer }, { onCleanup }) => {
    const pipeline = await startPipeline({ databases: postgres, natsUrl: natsServer.url });
    onCleanup(() => pipeline.stop());
    const killable: KillablePipeline = { ...pipeline, postgres, nats: natsServer };
    return killable;
  })
  /** What workers in processes of their own run on. */
  .extend(
    "servers",
    { scope: "file" },
    started(() => startServers()),
  );
