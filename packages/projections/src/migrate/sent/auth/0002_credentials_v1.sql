create schema "credentials_v1";

grant usage on schema "credentials_v1" to "carillon_projector", "carillon_reader";

create table credentials_v1.tenants (
  tenant_id uuid not null,
  slug text not null,
  region text not null,
  primary key (tenant_id)
);

alter table credentials_v1.tenants enable row level security, force row level security;

create policy one_tenant on credentials_v1.tenants
      using (tenant_id = (select carillon.current_tenant()))
      with check (tenant_id = (select carillon.current_tenant()));

grant select, insert, update, delete on credentials_v1.tenants to "carillon_projector";

grant select on credentials_v1.tenants to "carillon_reader";

create table credentials_v1.accounts (
  tenant_id uuid not null,
  user_id uuid not null,
  username text not null,
  roles text[] not null,
  password_hash text,
  primary key (tenant_id, user_id),
  unique (tenant_id, username)
);

alter table credentials_v1.accounts enable row level security, force row level security;

create policy one_tenant on credentials_v1.accounts
      using (tenant_id = (select carillon.current_tenant()))
      with check (tenant_id = (select carillon.current_tenant()));

grant select, insert, update, delete on credentials_v1.accounts to "carillon_projector";

grant select on credentials_v1.accounts to "carillon_reader";

create schema if not exists "credentials";

grant usage on schema "credentials" to "carillon_reader";

drop view if exists credentials.tenants;

create view credentials.tenants with (security_invoker = true) as select
  t.tenant_id,
  t.slug,
  t.region
from credentials_v1.tenants t;

grant select on credentials.tenants to "carillon_reader";

create schema if not exists "credentials";

grant usage on schema "credentials" to "carillon_reader";

drop view if exists credentials.accounts;

create view credentials.accounts with (security_invoker = true) as select
  t.tenant_id,
  t.user_id,
  t.username,
  t.roles,
  t.password_hash
from credentials_v1.accounts t;

grant select on credentials.accounts to "carillon_reader";

insert into carillon.active_versions (projection, version) values ($1, $2)
    on conflict (projection) do update set version = excluded.version;
