import type { LiveDatabase, ReportsDatabase } from "@carillon/domain";
import {
  type Bus,
  type CheckpointTables,
  connectBus,
  connectDatabase,
  connectEventLog,
  createLogger,
  type Database,
  type EventLog,
  openPostgres,
} from "@carillon/platform";
import type { Projection } from "@carillon/projections/projection";
import { runProjector, type ShardObserver } from "@carillon/projections/projector";
import { runRelay } from "@carillon/projections/relay";
import type { Kysely } from "kysely";
import { newDatabases, newNatsAccount } from "../run/shared.ts";
import {
  passwords,
  startEventStore,
  type TestDatabase,
  type TestDatabases,
  type TestServer,
} from "../servers/servers.ts";
import { type Running, runningSet } from "./running.ts";

/** A log, a bus and databases, and what runs between them in this process. */
export interface Pipeline {
  readonly databases: TestDatabases;
  readonly natsUrl: string;
  /** Its own: it may be killed. */
  readonly eventStore: TestServer;
  readonly eventLog: EventLog;
  readonly bus: Bus;
  readonly live: Database<LiveDatabase>;
  readonly reports: Database<ReportsDatabase>;
  /** What the projector connects as. */
  projectorDb(database: TestDatabase): Kysely<CheckpointTables>;
  startRelay(): Running;
  startProjector(projections: readonly Projection[], observer?: Partial<ShardObserver>): Running;
  /** Runs something else until it, or the pipeline, is stopped. */
  run(work: (signal: AbortSignal) => Promise<void>): Running;
  stop(): Promise<void>;
}

export const silentLogger = createLogger("test");
silentLogger.level = "silent";

/** Connects to a database as the projector does. */
export const connectAsProjector = (databases: TestDatabases, database: TestDatabase) =>
  openPostgres<CheckpointTables>(
    databases.urlAs("carillon_projector", passwords.projectorPassword, database),
    { name: "test projector", maxConnections: 4 },
  );

/** Connects to a database as a worker that reads does. */
export const connectAsReader = <Views>(databases: TestDatabases, database: TestDatabase): Database<Views> =>
  connectDatabase<Views>(databases.urlAs("carillon_reader", passwords.readerPassword, database), {
    name: "test reader",
    maxConnections: 2,
  });

/**
 * Connects to an event store of its own and to the run's Postgres and NATS, or to those that the test has started to
 * kill them. Nothing runs between them yet.
 */
export async function startPipeline(
  given: { readonly databases?: TestDatabases; readonly natsUrl?: string } = {},
): Promise<Pipeline> {
  const [databases, natsUrl, eventStore] = await Promise.all([
    given.databases ?? newDatabases(),
    given.natsUrl ?? newNatsAccount(),
    startEventStore(),
  ]);
  const eventLog = connectEventLog(eventStore.url);
  const bus = await connectBus(natsUrl, "test");
  const live = connectAsReader<LiveDatabase>(databases, "live");
  const reports = connectAsReader<ReportsDatabase>(databases, "reports");
  const pools = new Map<TestDatabase, Kysely<CheckpointTables>>();
  const running = runningSet();

  const projectorDb = (name: TestDatabase) => {
    const db = pools.get(name) ?? connectAsProjector(databases, name);
    pools.set(name, db);
    return db;
  };

  return {
    databases,
    natsUrl,
    eventStore,
    eventLog,
    bus,
    live,
    reports,
    projectorDb,
    run: running.run,
    startRelay: () =>
      running.run((signal) => runRelay({ eventLog, bus, logger: silentLogger, relayed: () => {} }, signal)),
    startProjector: (projections, observer = {}) =>
      running.run((signal) =>
        runProjector(
          {
            bus,
            eventLog,
            db: projectorDb(projections[0]?.database ?? "live"),
            logger: silentLogger,
            observer: { applied: () => {}, stopped: () => {}, ...observer },
          },
          projections,
          signal,
        ),
      ),
    async stop() {
      await running.stop();
      await Promise.all([live.close(), reports.close(), ...[...pools.values()].map((db) => db.destroy())]);
      await bus.close();
      eventLog.close();
      await eventStore.stop();
    },
  };
}
