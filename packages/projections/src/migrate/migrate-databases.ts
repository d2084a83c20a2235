import { openPostgres } from "@carillon/platform";
import { type Kysely, sql } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { credentialsV1 } from "../read-models/login/credentials/credentials-v1.ts";
import { classProgressV2 } from "../read-models/reports/class-progress/class-progress-v2.ts";
import { directoryV2 } from "../read-models/school/directory/directory-v2.ts";
import { submissionsV2 } from "../read-models/submissions/submissions-v2.ts";
import type { DatabaseName } from "../rows/projection.ts";
import { attemptRank } from "../schema/attempt-rank.ts";
import { foundation } from "../schema/foundation.ts";
import { ensureRoles, type RolePasswords } from "./database-roles.ts";

/**
 * What has been done to each database, in order. A migration that was released is never changed: what each of them sends is in
 * `sent/`, and a test compares.
 */
export const migrations: Record<DatabaseName, Record<string, Migration>> = {
  live: {
    "0001_foundation": foundation,
    "0002_attempt_rank": attemptRank,
    "0003_directory_v2": directoryV2,
    "0004_submissions_v2": submissionsV2,
  },
  auth: { "0001_foundation": foundation, "0002_credentials_v1": credentialsV1 },
  reports: {
    "0001_foundation": foundation,
    "0002_attempt_rank": attemptRank,
    "0003_class_progress_v2": classProgressV2,
  },
};

// Drawn once at random. Roles belong to the whole cluster, so two migrations must take turns.
const turn = 7_302_614_951;

/**
 * Brings the three databases up to date and makes the roles `carillon_projector` and `carillon_reader` with these
 * passwords. Changes nothing that is up to date already; two at once take turns. The databases may share a cluster.
 *
 * @param urls addresses for the databases' owner, a role with CREATEROLE that is not a superuser
 */
export async function migrateDatabases(
  urls: Record<DatabaseName, string>,
  passwords: RolePasswords,
): Promise<void> {
  const first = open(urls.live);
  try {
    await first.connection().execute(async (held) => {
      await sql`select pg_advisory_lock(${turn})`.execute(held);
      for (const name of ["live", "auth", "reports"] as const) await migrate(urls[name], name, passwords);
      await sql`select pg_advisory_unlock(${turn})`.execute(held);
    });
  } finally {
    await first.destroy();
  }
}

async function migrate(url: string, name: DatabaseName, passwords: RolePasswords): Promise<void> {
  const db = open(url);
  try {
    await ensureRoles(db, passwords);
    const { error } = await new Migrator({
      db,
      provider: { getMigrations: async () => migrations[name] },
      migrationTableSchema: "carillon",
    }).migrateToLatest();
    if (error) throw new Error(`the ${name} database could not be migrated`, { cause: error });
  } finally {
    await db.destroy();
  }
}

const open = (url: string): Kysely<unknown> =>
  openPostgres(url, { name: "carillon migrations", maxConnections: 2 });
