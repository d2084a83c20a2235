import type { DatabaseUrls } from "@carillon/launcher";
import pg from "pg";
import { startMigratedPostgres } from "../servers/servers.ts";

/** One Postgres for all: every test file has databases of its own in it, copies of the migrated ones. */
export async function startCluster() {
  const postgres = await startMigratedPostgres();
  // One connection: a database can be copied by one at a time.
  const client = new pg.Client(postgres.url);
  await client.connect();
  let copies = 0;
  let turn: Promise<unknown> = Promise.resolve();

  const copy = async (url: string, number: number) => {
    const { pathname, username } = new URL(url);
    const template = pathname.slice(1);
    await client.query(`create database ${template}_${number} template ${template} owner ${username}`);
    const copied = new URL(url);
    copied.pathname = `/${template}_${number}`;
    return copied.href;
  };
  const copyAll = async (): Promise<DatabaseUrls> => {
    const { live, auth, reports } = postgres.ownerUrls;
    const number = ++copies;
    return {
      live: await copy(live, number),
      auth: await copy(auth, number),
      reports: await copy(reports, number),
    };
  };

  return {
    create(): Promise<DatabaseUrls> {
      const created = turn.then(copyAll);
      turn = created.catch(() => {});
      return created;
    },
    async stop() {
      await client.end();
      await postgres.stop();
    },
  };
}
