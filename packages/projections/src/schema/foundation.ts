import { sql } from "kysely";
import type { Migration } from "kysely/migration";
import { projectorRole, readerRole } from "./tenant-tables.ts";

const projector = sql.id(projectorRole);
const reader = sql.id(readerRole);

/** The scope's function, and what is kept of each projection. */
export const foundation: Migration = {
  async up(db) {
    await sql`create schema if not exists carillon`.execute(db);
    await sql`grant usage on schema carillon to ${projector}, ${reader}`.execute(db);

    // Once a connection has set the value, it reads as an empty string afterwards and not as missing.
    await sql`
      create function carillon.current_tenant() returns uuid
      language plpgsql stable parallel safe
      as $$
      declare
        tenant text := current_setting('carillon.tenant_id', true);
      begin
        if tenant is null or tenant = '' then
          raise exception 'no tenant is in scope'
            using errcode = 'TN001', hint = 'Run this in withTenant(tenantId, …).';
        end if;
        return tenant::uuid;
      end
      $$`.execute(db);

    // No policies on these: they hold positions of the log, and nothing of a tenant.
    await sql`
      create table carillon.checkpoints (
        projection text not null,
        version integer not null,
        partition integer not null,
        position bigint,
        created timestamptz,
        applied_at timestamptz,
        primary key (projection, version, partition)
      ) with (fillfactor = 50)`.execute(db);
    await sql`
      create table carillon.active_versions (
        projection text primary key,
        version integer not null
      )`.execute(db);
    await sql`
      create table carillon.poison (
        projection text not null,
        version integer not null,
        partition integer not null,
        position bigint not null,
        stream text not null,
        revision bigint not null,
        event_id uuid not null,
        event_type text not null,
        error text not null,
        at timestamptz not null default now(),
        skipped_by text,
        skipped_at timestamptz,
        primary key (projection, version, partition, position),
        check ((skipped_by is null) = (skipped_at is null))
      )`.execute(db);
    await sql`grant select, insert, update on carillon.checkpoints to ${projector}`.execute(db);
    await sql`grant select, insert, update on carillon.poison to ${projector}`.execute(db);
    await sql`grant select on carillon.active_versions to ${projector}`.execute(db);
    await sql`
      grant select on carillon.checkpoints, carillon.active_versions, carillon.poison to ${reader}`.execute(
      db,
    );
  },
};
