import assert from "node:assert/strict";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { type Kysely, sql, type Transaction } from "kysely";
import { databaseFailure, openPostgres } from "../connection-pool.ts";

// One outage of Postgres, as a worker lives through it: postgres-outages.ts <outage> <database> <control>.
// The test starts it on Node and on Deno. An error that nobody catches ends the process, and so fails the test.

const [outage = "", url = "", control = ""] = process.argv.slice(2);
const name = "outages";
const maxConnections = 4;
const connections = Array.from({ length: maxConnections }, (_, index) => index);

type Pool = Kysely<unknown>;

const pool: Pool = openPostgres(url, { name, maxConnections });
/** A connection that nobody kills. */
const admin: Pool = openPostgres(url, { name: "admin", maxConnections: 1 });

/** Has the test do something to the server: end it as a power cut does, or start it again. */
async function server(action: "kill9" | "restart"): Promise<void> {
  const response = await fetch(`${control}/${action}`, { method: "POST" });
  assert.equal(await response.text(), "done");
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(5);
}

const backends = async (state: "active" | "idle" | "idle in transaction") => {
  const { rows } = await sql<{ pid: number }>`
    select pid from pg_stat_activity where application_name = ${name} and state = ${state}`.execute(admin);
  return rows.map(({ pid }) => pid);
};

/** Ends those backends and waits until they are gone. */
async function terminate(pids: readonly number[]): Promise<void> {
  for (const pid of pids) await sql`select pg_terminate_backend(${pid}, 10000)`.execute(admin);
}

const ownPid = async (db: Pool): Promise<number> => {
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db);
  return rows[0]?.pid ?? assert.fail("no row");
};

/** Opens so many transactions, each past its first statement; they stay open until `release`, and then do `work`. */
async function holdTransactions(
  count: number,
  work: (tx: Transaction<unknown>, writer: number) => Promise<unknown> = ownPid,
  db = pool,
) {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const begun = Array.from({ length: count }, () => Promise.withResolvers<number>());
  const ended = begun.map(({ resolve, reject }, writer) => {
    const transaction = db.transaction().execute(async (tx) => {
      resolve(await ownPid(tx));
      await released;
      await work(tx, writer);
    });
    transaction.catch(reject);
    return transaction;
  });
  return { pids: await Promise.all(begun.map(({ promise }) => promise)), ended, release };
}

/** Takes every connection of the pool at the same time, sooner or later; never, if one of them stays lost. */
const assertAllConnectionsWork = (db = pool) => until(() => settles(useAllConnections(db)));

async function useAllConnections(db: Pool): Promise<void> {
  const { promise: allAreOpen, resolve } = Promise.withResolvers<void>();
  const pids = new Set<number>();
  await Promise.all(
    connections.map(() =>
      db.transaction().execute(async (tx) => {
        pids.add(await ownPid(tx));
        if (pids.size === maxConnections) resolve();
        await allAreOpen;
        await ownPid(tx);
      }),
    ),
  );
  assert.equal(pids.size, maxConnections);
}

const unreachable = (error: unknown): boolean => {
  assert.equal(databaseFailure(error), "unreachable", error as Error);
  return true;
};

const assertUnreachable = (calls: readonly Promise<unknown>[]) =>
  Promise.all(calls.map((call) => assert.rejects(call, unreachable)));

/** Calls whose connection dies may fail, but only in this way. Gives whether it went well. */
const settles = (call: Promise<unknown>): Promise<boolean> =>
  call.then(
    () => true,
    (error) => !unreachable(error),
  );

async function makeEntries(): Promise<void> {
  await sql`drop table if exists entries`.execute(admin);
  await sql`create table entries (writer int not null)`.execute(admin);
}

const writeEntry = (db: Pool, writer: number) => sql`insert into entries values (${writer})`.execute(db);

const entries = async () => {
  const { rows } = await sql<{ writer: number }>`select writer from entries order by writer`.execute(admin);
  return rows.map(({ writer }) => writer);
};

const outages: Record<string, () => Promise<void>> = {
  async "backends end in the middle of a statement"() {
    for (let round = 0; round < 3; round++) {
      const calls = connections.map(() => sql`select pg_sleep(600)`.execute(pool));
      const failed = assertUnreachable(calls);
      await until(async () => (await backends("active")).length === maxConnections);
      await terminate(await backends("active"));
      await failed;
      await assertAllConnectionsWork();
    }
  },

  async "backends end between two statements of a transaction, while others wait for a connection"() {
    await makeEntries();
    for (let round = 0; round < 3; round++) {
      const { pids, ended, release } = await holdTransactions(maxConnections, writeEntry);
      const waiting = Promise.all(
        Array.from({ length: 3 * maxConnections }, () => until(() => settles(ownPid(pool)))),
      );
      await terminate(pids);
      release();
      await assertUnreachable(ended);
      await waiting;
      await assertAllConnectionsWork();
    }
    assert.deepEqual(await entries(), []);
  },

  async "a transaction whose backend ended does not go on in somebody else's"() {
    await makeEntries();
    const one: Pool = openPostgres(url, { name, maxConnections: 1 });
    const { promise: secondHasBegun, resolve: begun } = Promise.withResolvers<void>();
    const { promise: firstHasEnded, resolve: ended } = Promise.withResolvers<void>();
    let second: Promise<void> | undefined;
    const first = one.transaction().execute(async (tx) => {
      const pid = await ownPid(tx);
      await writeEntry(tx, 1);
      second = one.transaction().execute(async (other) => {
        await writeEntry(other, 2);
        begun();
        await firstHasEnded;
        await writeEntry(other, 3);
      });
      await terminate([pid]);
      // Whether the second has the connection's place by now depends on the driver.
      await Promise.race([secondHasBegun, delay(200)]);
      await writeEntry(tx, 4);
    });
    await assertUnreachable([first]);
    ended();
    await second;
    assert.deepEqual(await entries(), [2, 3]);
    await one.destroy();
  },

  async "backends end while they are idle"() {
    for (let round = 0; round < 3; round++) {
      await assertAllConnectionsWork();
      await until(async () => (await backends("idle")).length === maxConnections);
      await terminate(await backends("idle"));
      // At once: whether the driver has noticed is chance.
      await Promise.all(connections.map(() => settles(ownPid(pool))));
      await assertAllConnectionsWork();
    }
  },

  async "backends end again and again under load"() {
    await makeEntries();
    let kills = 0;
    let written = 0;
    const load = Array.from({ length: 2 * maxConnections }, async (_, writer) => {
      while (kills < 5 * maxConnections) {
        const call = pool.transaction().execute(async (tx) => {
          await writeEntry(tx, writer);
          await sql`select pg_sleep(0.002)`.execute(tx);
          await writeEntry(tx, writer);
        });
        if (await settles(call)) written += 2;
      }
    });
    while (kills < 5 * maxConnections) {
      const [pid] = [...(await backends("active")), ...(await backends("idle in transaction"))];
      if (pid === undefined) continue;
      await terminate([pid]);
      kills++;
    }
    await Promise.all(load);
    const found = (await entries()).length;
    assert.equal(found % 2, 0);
    assert.ok(found >= written, `${written} were acknowledged, ${found} are there`);
    await assertAllConnectionsWork();
  },

  async "the server is killed and comes back"() {
    for (let round = 0; round < 2; round++) {
      await assertAllConnectionsWork();
      const { ended, release } = await holdTransactions(maxConnections - 2);
      const asleep = connections.slice(0, 2).map(() => sql`select pg_sleep(600)`.execute(pool));
      const failed = assertUnreachable(asleep);
      await until(async () => (await backends("active")).length === 2);
      const waiting = connections.map(() => settles(ownPid(pool)));
      await server("kill9");
      release();
      await assertUnreachable(ended);
      await failed;
      assert.deepEqual(
        await Promise.all(waiting),
        connections.map(() => false),
      );
      await assertUnreachable(Array.from({ length: 3 * maxConnections }, () => ownPid(pool)));
      // Some of these come while it starts, and it answers that it does.
      const impatient = connections.map(() => until(() => settles(ownPid(pool))));
      await server("restart");
      await Promise.all(impatient);
      await until(() => settles(ownPid(admin)));
      await assertAllConnectionsWork();
    }
  },

  async "the server is not there at the start"() {
    await server("kill9");
    await assertUnreachable(Array.from({ length: 3 * maxConnections }, () => ownPid(pool)));
    await server("restart");
    await until(() => settles(ownPid(pool)));
    await assertAllConnectionsWork();
  },

  async "a statement takes too long"() {
    const strict: Pool = openPostgres(url, { name, maxConnections, statementTimeoutMs: 100 });
    for (let round = 0; round < 3; round++) {
      const calls = connections.map(() => sql`select pg_sleep(600)`.execute(strict));
      await Promise.all(calls.map((call) => assert.rejects(call, { code: "57014" })));
      await assertUnreachable([strict.transaction().execute((tx) => sql`select pg_sleep(600)`.execute(tx))]);
      await assertAllConnectionsWork(strict);
    }
    await strict.destroy();
  },

  async "the pool is closed in the middle"() {
    for (const backendsEnd of [false, true]) {
      const db: Pool = openPostgres(url, { name, maxConnections });
      await assertAllConnectionsWork(db);
      const { pids, ended, release } = await holdTransactions(2, ownPid, db);
      const closed = db.destroy();
      if (backendsEnd) await terminate(pids);
      release();
      await (backendsEnd ? assertUnreachable(ended) : Promise.all(ended));
      await closed;
    }
  },

  async "no connection comes free in time"() {
    const { ended, release } = await holdTransactions(maxConnections);
    await assertUnreachable(connections.map(() => ownPid(pool)));
    release();
    await Promise.all(ended);
    await assertAllConnectionsWork();
  },

  async "a transaction that the server rolls back instead"() {
    await makeEntries();
    const swallowed = pool.transaction().execute(async (tx) => {
      await writeEntry(tx, 1);
      await sql`select 1 / 0`.execute(tx).catch(() => {});
    });
    await assert.rejects(swallowed);
    assert.deepEqual(await entries(), []);
    await assertAllConnectionsWork();
  },
};

const run = outages[outage] ?? assert.fail(`there is no outage "${outage}"`);
await run();
await Promise.all([pool.destroy(), admin.destroy()]);
process.stdout.write("survived\n");
