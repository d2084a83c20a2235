/** What the baseline keeps, with the indexes that its statements need. */
export const baselineSchema = `
create table users (
  id bigint generated always as identity primary key,
  tenant text not null,
  username text not null,
  name text not null,
  roles text[] not null,
  password_hash text not null,
  last_login timestamptz,
  unique (tenant, username)
);
create table sessions (
  token_hash bytea primary key,
  user_id bigint not null references users,
  created_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '30 days'
);
create index sessions_of_user on sessions (user_id);
create table login_counts (
  tenant text not null,
  day date not null,
  logins integer not null,
  primary key (tenant, day)
);
`;
