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
import {
  startEventStore,
  startNats,
  startPostgres,
  type TestDatabase,
  type TestPostgres,
  type TestServer,
} from "@carillon/platform/testing";
import type { Kysely } from "kysely";
import { migrateDatabases } from "../migrate/migrate-databases.ts";
import { runProjector } from "../projector/projector.ts";
import type { ShardObserver } from "../projector/shard-observer.ts";
import { runRelay } from "../relay/relay.ts";
import type { Projection } from "../rows/projection.ts";

export const passwords = { projectorPassword: "projector", readerPassword: "reader" };

/** Something that runs until it is stopped. */
export interface Running {
  stop(): Promise<void>;
}

/** Real servers with migrated databases, and what runs between them. */
export interface Pipeline {
  readonly postgres: TestPostgres;
  readonly nats: TestServer;
  readonly eventStore: TestServer;
  readonly eventLog: EventLog;
  readonly bus: Bus;
  readonly live: Database<LiveDatabase>;
  readonly reports: Database<ReportsDatabase>;
  /** What the projector connects as. */
  projectorDb(database: TestDatabase): Kysely<CheckpointTables>;
  startRelay(): Running;
  startProjector(projections: readonly Projection[], observer?: Partial<ShardObserver>): Running;
  stop(): Promise<void>;
}

type Migrate = (urls: TestPostgres["ownerUrls"]) => Promise<void>;

const migrateToLatest: Migrate = (urls) => migrateDatabases(urls, passwords);

/** A Postgres whose databases are migrated. */
export async function startMigratedPostgres(migrate = migrateToLatest): Promise<TestPostgres> {
  const postgres = await startPostgres();
  await migrate(postgres.ownerUrls);
  return postgres;
}

/** Connects to a database as the projector does. */
export const connectAsProjector = (postgres: TestPostgres, database: TestDatabase) =>
  openPostgres<CheckpointTables>(
    postgres.urlAs("carillon_projector", passwords.projectorPassword, database),
    {
      name: "test projector",
      maxConnections: 4,
    },
  );

/** Connects to a database as a worker that reads does. */
export const connectAsReader = <Views>(postgres: TestPostgres, database: TestDatabase): Database<Views> =>
  connectDatabase<Views>(postgres.urlAs("carillon_reader", passwords.readerPassword, database), {
    name: "test reader",
    maxConnections: 2,
  });

/** Starts every server. Nothing runs between them yet. */
export async function startPipeline({ migrate }: { migrate?: Migrate } = {}): Promise<Pipeline> {
  const [postgres, nats, eventStore] = await Promise.all([
    startMigratedPostgres(migrate),
    startNats(),
    startEventStore(),
  ]);
  const logger = createLogger("test");
  logger.level = "silent";
  const eventLog = connectEventLog(eventStore.url);
  const bus = await connectBus(nats.url, "test");
  const live = connectAsReader<LiveDatabase>(postgres, "live");
  const reports = connectAsReader<ReportsDatabase>(postgres, "reports");
  const databases = new Map<TestDatabase, Kysely<CheckpointTables>>();
  const running = new Set<Running>();

  const projectorDb = (name: TestDatabase) => {
    const db = databases.get(name) ?? connectAsProjector(postgres, name);
    databases.set(name, db);
    return db;
  };

  const run = (work: (signal: AbortSignal) => Promise<void>): Running => {
    const controller = new AbortController();
    const done = work(controller.signal);
    const one: Running = {
      async stop() {
        running.delete(one);
        controller.abort();
        await done;
      },
    };
    running.add(one);
    return one;
  };

  return {
    postgres,
    nats,
    eventStore,
    eventLog,
    bus,
    live,
    reports,
    projectorDb,
    startRelay: () => run((signal) => runRelay({ eventLog, bus, logger, relayed: () => {} }, signal)),
    startProjector: (projections, observer = {}) =>
      run((signal) =>
        runProjector(
          {
            bus,
            eventLog,
            db: projectorDb(projections[0]?.database ?? "live"),
            logger,
            observer: { applied: () => {}, stopped: () => {}, ...observer },
          },
          projections,
          signal,
        ),
      ),
    async stop() {
      for (const one of running) await one.stop();
      await Promise.all([
        live.close(),
        reports.close(),
        ...[...databases.values()].map((db) => db.destroy()),
      ]);
      await bus.close();
      eventLog.close();
      await Promise.all([postgres.stop(), nats.stop(), eventStore.stop()]);
    },
  };
}
