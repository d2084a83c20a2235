import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from "kysely";
import { expect, test } from "vitest";
import { migrations } from "./migrate-databases.ts";

/** The statements that a migration would send. */
async function statementsOf(up: (db: Kysely<unknown>) => Promise<void>): Promise<string> {
  const statements: string[] = [];
  const db = new Kysely<unknown>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (introspected) => new PostgresIntrospector(introspected),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
    log({ query }) {
      statements.push(`${query.sql.trim()};\n`);
    },
  });
  await up(db);
  return statements.join("\n");
}

const all = Object.entries(migrations).flatMap(([database, ofDatabase]) =>
  Object.entries(ofDatabase).map(([name, { up }]) => ({ database, name, up })),
);

/**
 * Tables take their columns from the lists in the domain. Where a list has changed this fails: give the read model a new
 * version, with tables and a migration of its own, and let the older migration send what its file says.
 */
test.each(all)(
  "$name of the $database database sends what it always sent",
  async ({ database, name, up }) => {
    await expect(await statementsOf(up)).toMatchFileSnapshot(`sent/${database}/${name}.sql`);
  },
);
