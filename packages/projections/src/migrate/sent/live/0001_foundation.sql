create schema if not exists carillon;

grant usage on schema carillon to "carillon_projector", "carillon_reader";

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
      $$;

create table carillon.checkpoints (
        projection text not null,
        version integer not null,
        partition integer not null,
        position bigint,
        created timestamptz,
        applied_at timestamptz,
        primary key (projection, version, partition)
      ) with (fillfactor = 50);

create table carillon.active_versions (
        projection text primary key,
        version integer not null
      );

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
      );

grant select, insert, update on carillon.checkpoints to "carillon_projector";

grant select, insert, update on carillon.poison to "carillon_projector";

grant select on carillon.active_versions to "carillon_projector";

grant select on carillon.checkpoints, carillon.active_versions, carillon.poison to "carillon_reader";
