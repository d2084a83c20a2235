create schema "class_progress_v2";

grant usage on schema "class_progress_v2" to "carillon_projector", "carillon_reader";

create table class_progress_v2.tenants (
  tenant_id uuid not null,
  time_zone text not null,
  primary key (tenant_id)
);

alter table class_progress_v2.tenants enable row level security, force row level security;

create policy one_tenant on class_progress_v2.tenants
      using (tenant_id = (select carillon.current_tenant()))
      with check (tenant_id = (select carillon.current_tenant()));

grant select, insert, update, delete on class_progress_v2.tenants to "carillon_projector";

grant select on class_progress_v2.tenants to "carillon_reader";

create table class_progress_v2.classes (
  tenant_id uuid not null,
  class_id uuid not null,
  code text not null,
  starts_on date not null,
  length_days integer not null,
  registered integer not null default 0,
  withdrawn integer not null default 0,
  primary key (tenant_id, class_id)
);

alter table class_progress_v2.classes enable row level security, force row level security;

create policy one_tenant on class_progress_v2.classes
      using (tenant_id = (select carillon.current_tenant()))
      with check (tenant_id = (select carillon.current_tenant()));

grant select, insert, update, delete on class_progress_v2.classes to "carillon_projector";

grant select on class_progress_v2.classes to "carillon_reader";

create table class_progress_v2.students (
  tenant_id uuid not null,
  class_id uuid not null,
  student_id uuid not null,
  present boolean not null,
  primary key (tenant_id, class_id, student_id)
);

alter table class_progress_v2.students enable row level security, force row level security;

create policy one_tenant on class_progress_v2.students
      using (tenant_id = (select carillon.current_tenant()))
      with check (tenant_id = (select carillon.current_tenant()));

grant select, insert, update, delete on class_progress_v2.students to "carillon_projector";

grant select on class_progress_v2.students to "carillon_reader";

create table class_progress_v2.assessments (
  tenant_id uuid not null,
  assignment_id uuid not null,
  class_id uuid not null,
  code text not null,
  kind text not null,
  weight double precision not null,
  due_at timestamptz,
  grace_seconds integer not null,
  counts text not null,
  submitted integer not null default 0,
  banked integer not null default 0,
  late integer not null default 0,
  scored integer not null default 0,
  passed integer not null default 0,
  score_sum numeric not null default 0,
  primary key (tenant_id, assignment_id)
);

alter table class_progress_v2.assessments enable row level security, force row level security;

create policy one_tenant on class_progress_v2.assessments
      using (tenant_id = (select carillon.current_tenant()))
      with check (tenant_id = (select carillon.current_tenant()));

grant select, insert, update, delete on class_progress_v2.assessments to "carillon_projector";

grant select on class_progress_v2.assessments to "carillon_reader";

create table class_progress_v2.attempts (
  tenant_id uuid not null,
  assignment_id uuid not null,
  student_id uuid not null,
  submission_id uuid not null,
  handed_in_at timestamptz not null,
  banked boolean not null,
  score double precision,
  lapsed boolean not null,
  position bigint not null,
  primary key (tenant_id, assignment_id, student_id, submission_id)
);

alter table class_progress_v2.attempts enable row level security, force row level security;

create policy one_tenant on class_progress_v2.attempts
      using (tenant_id = (select carillon.current_tenant()))
      with check (tenant_id = (select carillon.current_tenant()));

grant select, insert, update, delete on class_progress_v2.attempts to "carillon_projector";

grant select on class_progress_v2.attempts to "carillon_reader";

create schema if not exists "class_progress";

grant usage on schema "class_progress" to "carillon_reader";

drop view if exists class_progress.classes;

create view class_progress.classes with (security_invoker = true) as select
  t.tenant_id,
  t.class_id,
  t.code,
  t.length_days,
  t.registered,
  t.withdrawn
from class_progress_v2.classes t;

grant select on class_progress.classes to "carillon_reader";

create schema if not exists "class_progress";

grant usage on schema "class_progress" to "carillon_reader";

drop view if exists class_progress.assessments;

create view class_progress.assessments with (security_invoker = true) as select
  t.tenant_id,
  t.assignment_id,
  t.class_id,
  t.code,
  t.kind,
  (t.due_at at time zone s.time_zone)::date - c.starts_on as "due_day",
  t.weight,
  t.submitted,
  t.banked,
  case when t.due_at is not null then t.late end as "late",
  t.scored,
  round(t.score_sum / nullif(t.scored, 0), 2)::float8 as "mean_score",
  t.passed
from class_progress_v2.assessments t
join class_progress_v2.classes c using (tenant_id, class_id)
join class_progress_v2.tenants s using (tenant_id);

grant select on class_progress.assessments to "carillon_reader";

insert into carillon.active_versions (projection, version) values ($1, $2)
    on conflict (projection) do update set version = excluded.version;
