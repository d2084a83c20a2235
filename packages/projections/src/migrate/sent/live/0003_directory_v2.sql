create schema "directory_v2";

grant usage on schema "directory_v2" to "carillon_projector", "carillon_reader";

create table directory_v2.tenants (
  tenant_id uuid not null,
  name text not null,
  slug text not null,
  region text not null,
  tier text not null,
  time_zone text not null,
  locale text not null,
  branding jsonb not null,
  primary key (tenant_id)
);

alter table directory_v2.tenants enable row level security, force row level security;

create policy one_tenant on directory_v2.tenants
      using (tenant_id = (select carillon.current_tenant()))
      with check (tenant_id = (select carillon.current_tenant()));

grant select, insert, update, delete on directory_v2.tenants to "carillon_projector";

grant select on directory_v2.tenants to "carillon_reader";

create table directory_v2.people (
  tenant_id uuid not null,
  user_id uuid not null,
  username text not null,
  name text not null,
  email text,
  roles text[] not null,
  primary key (tenant_id, user_id),
  unique (tenant_id, username)
);

alter table directory_v2.people enable row level security, force row level security;

create policy one_tenant on directory_v2.people
      using (tenant_id = (select carillon.current_tenant()))
      with check (tenant_id = (select carillon.current_tenant()));

grant select, insert, update, delete on directory_v2.people to "carillon_projector";

grant select on directory_v2.people to "carillon_reader";

create table directory_v2.classes (
  tenant_id uuid not null,
  class_id uuid not null,
  code text not null,
  title text not null,
  starts_on date not null,
  length_days integer not null,
  primary key (tenant_id, class_id),
  unique (tenant_id, code)
);

alter table directory_v2.classes enable row level security, force row level security;

create policy one_tenant on directory_v2.classes
      using (tenant_id = (select carillon.current_tenant()))
      with check (tenant_id = (select carillon.current_tenant()));

grant select, insert, update, delete on directory_v2.classes to "carillon_projector";

grant select on directory_v2.classes to "carillon_reader";

create table directory_v2.memberships (
  tenant_id uuid not null,
  class_id uuid not null,
  user_id uuid not null,
  role text not null,
  joined_at timestamptz not null,
  left_at timestamptz,
  primary key (tenant_id, class_id, user_id)
);

alter table directory_v2.memberships enable row level security, force row level security;

create policy one_tenant on directory_v2.memberships
      using (tenant_id = (select carillon.current_tenant()))
      with check (tenant_id = (select carillon.current_tenant()));

grant select, insert, update, delete on directory_v2.memberships to "carillon_projector";

grant select on directory_v2.memberships to "carillon_reader";

create index on directory_v2.memberships (tenant_id, user_id);

create table directory_v2.assignments (
  tenant_id uuid not null,
  assignment_id uuid not null,
  class_id uuid not null,
  code text not null,
  title text not null,
  kind text not null,
  weight double precision not null,
  late_policy jsonb not null,
  grace_seconds integer not null,
  counts text not null,
  autograded boolean not null,
  published_at timestamptz not null,
  due_at timestamptz,
  primary key (tenant_id, assignment_id)
);

alter table directory_v2.assignments enable row level security, force row level security;

create policy one_tenant on directory_v2.assignments
      using (tenant_id = (select carillon.current_tenant()))
      with check (tenant_id = (select carillon.current_tenant()));

grant select, insert, update, delete on directory_v2.assignments to "carillon_projector";

grant select on directory_v2.assignments to "carillon_reader";

create index on directory_v2.assignments (tenant_id, class_id);

create schema if not exists "directory";

grant usage on schema "directory" to "carillon_reader";

drop view if exists directory.tenants;

create view directory.tenants with (security_invoker = true) as select
  t.tenant_id,
  t.name,
  t.slug,
  t.region,
  t.tier,
  t.time_zone,
  t.locale,
  t.branding
from directory_v2.tenants t;

grant select on directory.tenants to "carillon_reader";

create schema if not exists "directory";

grant usage on schema "directory" to "carillon_reader";

drop view if exists directory.people;

create view directory.people with (security_invoker = true) as select
  t.tenant_id,
  t.user_id,
  t.username,
  t.name,
  t.email,
  t.roles
from directory_v2.people t;

grant select on directory.people to "carillon_reader";

create schema if not exists "directory";

grant usage on schema "directory" to "carillon_reader";

drop view if exists directory.classes;

create view directory.classes with (security_invoker = true) as select
  t.tenant_id,
  t.class_id,
  t.code,
  t.title,
  t.starts_on,
  t.length_days
from directory_v2.classes t;

grant select on directory.classes to "carillon_reader";

create schema if not exists "directory";

grant usage on schema "directory" to "carillon_reader";

drop view if exists directory.memberships;

create view directory.memberships with (security_invoker = true) as select
  t.tenant_id,
  t.class_id,
  t.user_id,
  t.role,
  t.joined_at,
  t.left_at
from directory_v2.memberships t;

grant select on directory.memberships to "carillon_reader";

create schema if not exists "directory";

grant usage on schema "directory" to "carillon_reader";

drop view if exists directory.assignments;

create view directory.assignments with (security_invoker = true) as select
  t.tenant_id,
  t.assignment_id,
  t.class_id,
  t.code,
  t.title,
  t.kind,
  t.weight,
  t.late_policy,
  t.grace_seconds,
  t.counts,
  t.autograded,
  t.published_at,
  t.due_at
from directory_v2.assignments t;

grant select on directory.assignments to "carillon_reader";

insert into carillon.active_versions (projection, version) values ($1, $2)
    on conflict (projection) do update set version = excluded.version;
