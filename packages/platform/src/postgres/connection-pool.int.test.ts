import { startPostgres, type TestPostgres } from "@carillon/testkit";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { openPostgres, type PostgresOptions } from "./connection-pool.ts";

let postgres: TestPostgres;

beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

function open(options: Partial<PostgresOptions> = {}) {
  const db = openPostgres<unknown>(postgres.url, { name: "test", maxConnections: 1, ...options });
  onTestFinished(() => db.destroy());
  return db;
}

test("a number that JavaScript could not hold is read as digits, a day as text, a time as a Date", async () => {
  const { rows } = await sql`
    select
      9007199254740993::bigint as "bigint", 0.1::numeric(9, 3) as "numeric", 7 as "int4", 0.1::float8 as "float8",
      '2026-09-01'::date as "date", '2026-09-01T08:30:00.123456+02'::timestamptz as "timestamptz",
      true as "bool", null::text as "null", '{a,NULL,"b c"}'::text[] as "texts", '{1,2}'::int[] as "ints",
      '{9007199254740993}'::bigint[] as "bigints", '\\x00ff'::bytea as "bytea",
      '{"n": 1, "s": "ü"}'::json as "json", '[1, null, "ü"]'::jsonb as "jsonb", '"text"'::jsonb as "jsonText",
      '9f0c7a36-3ed7-4f0f-8ad4-1f7d5d1c0f55'::uuid as "uuid"`.execute(open());
  expect(rows).toEqual([
    {
      bigint: "9007199254740993",
      numeric: "0.100",
      int4: 7,
      float8: 0.1,
      date: "2026-09-01",
      timestamptz: new Date("2026-09-01T06:30:00.123Z"),
      bool: true,
      null: null,
      texts: ["a", null, "b c"],
      ints: [1, 2],
      bigints: ["9007199254740993"],
      bytea: Buffer.from([0, 255]),
      json: { n: 1, s: "ü" },
      jsonb: [1, null, "ü"],
      jsonText: "text",
      uuid: "9f0c7a36-3ed7-4f0f-8ad4-1f7d5d1c0f55",
    },
  ]);
});

test("a text is sent to the server as it is, whatever type it has there", async () => {
  const rowsAsJson = JSON.stringify([
    { n: "9007199254740993", at: "2026-09-01T06:30:00.123456Z", doc: { s: "ü" } },
  ]);
  const { rows } = await sql`
    select given.n, given.at::text, given.doc, ${"2026-09-01"}::date as day,
      ${"2026-09-01T06:30:00.123456Z"}::timestamptz = given.at as "sameTime",
      ${"12345678901234567890.5"}::numeric::text as "numeric"
    from json_to_recordset(${rowsAsJson}::json) as given(n bigint, at timestamptz, doc jsonb)`.execute(
    open(),
  );
  expect(rows).toEqual([
    {
      n: "9007199254740993",
      at: expect.stringContaining(".123456"),
      doc: { s: "ü" },
      day: "2026-09-01",
      sameTime: true,
      numeric: "12345678901234567890.5",
    },
  ]);
});

test("the server's monitoring shows the name, and what a statement changed is counted", async () => {
  const db = open({ name: "a worker" });
  const { rows } =
    await sql`select application_name from pg_stat_activity where pid = pg_backend_pid()`.execute(db);
  expect(rows).toEqual([{ application_name: "a worker" }]);
  await sql`create temporary table numbers (n int)`.execute(db);
  const { numAffectedRows } = await sql`insert into numbers values (1), (2), (3)`.execute(db);
  expect(numAffectedRows).toBe(3n);
});
