/** What the baseline keeps, with the indexes that its statements need. */
export const baselineSchema = `
create table users (
  id uuid primary key,
  tenant_id uuid not null,
  username text not null,
  unique (tenant_id, username)
);
create table sessions (
  token_hash bytea primary key,
  user_id uuid not null references users,
  expires_at timestamptz not null default now() + interval '30 days'
);
create index sessions_of_user on sessions (user_id);
create table members (
  class_id uuid not null,
  user_id uuid not null references users,
  primary key (class_id, user_id)
);
create table assignments (
  id uuid primary key,
  tenant_id uuid not null,
  class_id uuid not null,
  due_at timestamptz not null,
  answer_key jsonb not null
);
create table submissions (
  id uuid primary key,
  assignment_id uuid not null references assignments,
  student_id uuid not null references users,
  key text not null,
  sha256 text not null,
  bytes integer not null,
  name text not null,
  media_type text not null,
  submitted_at timestamptz not null default now(),
  late boolean not null,
  score double precision not null,
  feedback text not null,
  unique (assignment_id, student_id, key)
);
create index submissions_of_student on submissions (student_id, submitted_at);
`;
