create schema "submissions_v2";

grant usage on schema "submissions_v2" to "carillon_projector", "carillon_reader";

create table submissions_v2.assignments (
  tenant_id uuid not null,
  assignment_id uuid not null,
  counts text not null,
  primary key (tenant_id, assignment_id)
);

alter table submissions_v2.assignments enable row level security, force row level security;

create policy one_tenant on submissions_v2.assignments
      using (tenant_id = (select carillon.current_tenant()))
      with check (tenant_id = (select carillon.current_tenant()));

grant select, insert, update, delete on submissions_v2.assignments to "carillon_projector";

grant select on submissions_v2.assignments to "carillon_reader";

create table submissions_v2.submissions (
  tenant_id uuid not null,
  submission_id uuid not null,
  assignment_id uuid not null,
  class_id uuid not null,
  student_id uuid not null,
  key text not null,
  sha256 text,
  bytes double precision,
  name text,
  media_type text,
  handed_in_at timestamptz not null,
  late boolean,
  penalty_percent double precision not null,
  upload_by timestamptz,
  received_at timestamptz,
  lapsed_at timestamptz,
  banked boolean not null,
  score double precision,
  raw_score double precision,
  grader text,
  feedback text,
  graded_at timestamptz,
  revision integer not null,
  position bigint not null,
  primary key (tenant_id, submission_id)
);

alter table submissions_v2.submissions enable row level security, force row level security;

create policy one_tenant on submissions_v2.submissions
      using (tenant_id = (select carillon.current_tenant()))
      with check (tenant_id = (select carillon.current_tenant()));

grant select, insert, update, delete on submissions_v2.submissions to "carillon_projector";

grant select on submissions_v2.submissions to "carillon_reader";

create index on submissions_v2.submissions (tenant_id, student_id);

create index on submissions_v2.submissions (tenant_id, assignment_id, student_id);

create index on submissions_v2.submissions (tenant_id, sha256) where sha256 is not null and lapsed_at is null;

create schema if not exists "submissions";

grant usage on schema "submissions" to "carillon_reader";

drop view if exists submissions.submissions;

create view submissions.submissions with (security_invoker = true) as select
  t.tenant_id,
  t.submission_id,
  t.assignment_id,
  t.class_id,
  t.student_id,
  t.key,
  t.sha256,
  t.bytes,
  t.name,
  t.media_type,
  t.handed_in_at,
  t.late,
  t.penalty_percent,
  t.upload_by,
  t.received_at,
  t.lapsed_at,
  t.banked,
  t.score,
  t.raw_score,
  t.grader,
  t.feedback,
  t.graded_at,
  t.lapsed_at is null and not exists (
    select from submissions_v2.submissions other
    join submissions_v2.assignments a using (tenant_id, assignment_id)
    where other.tenant_id = t.tenant_id
      and other.assignment_id = t.assignment_id and other.student_id = t.student_id
      and other.lapsed_at is null
      and carillon.attempt_rank(a.counts, other.handed_in_at, other.position, other.score)
        > carillon.attempt_rank(a.counts, t.handed_in_at, t.position, t.score)
  ) as "counts",
  'submission-' || t.tenant_id || '_' || t.submission_id as "stream",
  t.revision,
  t.position
from submissions_v2.submissions t;

grant select on submissions.submissions to "carillon_reader";

create schema if not exists "submissions";

grant usage on schema "submissions" to "carillon_reader";

drop view if exists submissions.content_references;

create view submissions.content_references with (security_invoker = true) as select
  t.tenant_id,
  t.sha256,
  count(*)::integer as "references"
from submissions_v2.submissions t
where t.sha256 is not null and t.lapsed_at is null
group by t.tenant_id, t.sha256;

grant select on submissions.content_references to "carillon_reader";

insert into carillon.active_versions (projection, version) values ($1, $2)
    on conflict (projection) do update set version = excluded.version;
