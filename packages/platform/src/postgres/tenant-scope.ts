import type { TenantId } from "@carillon/domain";
import { type Kysely, sql, type Transaction } from "kysely";

/**
 * Sets the tenant whose rows the rest of the transaction sees and may write. The only place that does: the policies
 * of every table ask for it through `carillon.current_tenant()`.
 */
export async function scopeToTenant<Schema>(tx: Transaction<Schema>, tenantId: TenantId): Promise<void> {
  await sql`select set_config('carillon.tenant_id', ${tenantId}, true)`.execute(tx);
}

/** Thrown where a database role could see past the policies that keep tenants apart. */
export class UnsafeRoleError extends Error {
  constructor(role: string, reason: string) {
    super(
      `the database role ${role} ${reason}: connect as a role that owns nothing and bypasses nothing, such as carillon_reader or carillon_projector`,
    );
    this.name = "UnsafeRoleError";
  }
}

/**
 * Throws `UnsafeRoleError` if the connected role, or a role that it is a member of, is a superuser, bypasses
 * row-level security, or owns this database or anything in it: an owner can switch the policies off.
 */
export async function assertOwnsAndBypassesNothing<Schema>(db: Kysely<Schema>): Promise<void> {
  const { rows } = await sql<{ role: string; bypasses: boolean; owns: boolean }>`
    with roles as (
      select oid, rolsuper or rolbypassrls as bypasses
      from pg_roles
      where pg_has_role(current_user, oid, 'member')
    )
    select
      current_user as role,
      bool_or(bypasses) as bypasses,
      exists (select from pg_database where datname = current_database() and datdba in (select oid from roles))
        or exists (select from pg_namespace where nspowner in (select oid from roles))
        or exists (select from pg_class where relowner in (select oid from roles))
        or exists (select from pg_proc where proowner in (select oid from roles)) as owns
    from roles`.execute(db);
  const [found] = rows;
  if (!found) throw new Error("the database did not say who we are");
  if (found.bypasses) throw new UnsafeRoleError(found.role, "bypasses row-level security");
  if (found.owns) throw new UnsafeRoleError(found.role, "owns tables, schemas or the database");
}
