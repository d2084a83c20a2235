import { type Kysely, sql } from "kysely";
import { projectorRole, readerRole } from "../schema/tenant-tables.ts";

export interface RolePasswords {
  readonly projectorPassword: string;
  readonly readerPassword: string;
}

/**
 * Makes the two roles that workers connect as, or gives them these passwords. Throws where a role of that name is
 * there that could bypass row-level security.
 */
export async function ensureRoles(
  db: Kysely<unknown>,
  { projectorPassword, readerPassword }: RolePasswords,
): Promise<void> {
  await ensureRole(db, projectorRole, projectorPassword);
  await ensureRole(db, readerRole, readerPassword);
}

async function ensureRole(db: Kysely<unknown>, role: string, password: string): Promise<void> {
  const { rows } = await sql<{ bypasses: boolean }>`
    select rolsuper or rolbypassrls as bypasses from pg_roles where rolname = ${role}`.execute(db);
  const [found] = rows;
  if (found?.bypasses)
    throw new Error(`the database role ${role} bypasses row-level security: alter it first`);
  const verb = sql.raw(found ? "alter" : "create");
  await sql`${verb} role ${sql.id(role)} login password ${sql.lit(password)}`.execute(db);
}
