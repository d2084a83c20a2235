/**
 * What a competent team ships first: Hono on Node before Postgres, `node baseline-server.ts URL`. bcrypt at cost 10 in the
 * library's own threads, one pool of 10 for everything, opaque session tokens that are looked up at every request. It
 * answers in tRPC's form, so that the same client drives it.
 */
import { createHash, randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { verify } from "@node-rs/bcrypt";
import { Hono } from "hono";
import pg from "pg";

const [url] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString: url, max: 10 });

const digest = (token: string) => createHash("sha256").update(token).digest();
const data = (value: unknown) => ({ result: { data: value } });
const refused = { error: { message: "refused", code: -32001, data: { errorCode: "login_refused" } } };

const app = new Hono();

app.post("/trpc/auth.login", async (context) => {
  const { tenant, username, password } = await context.req.json();
  const found = await pool.query(
    "select id, password_hash, roles from users where tenant = $1 and username = $2",
    [tenant, username],
  );
  const [user] = found.rows;
  if (!user || !(await verify(password, user.password_hash))) return context.json(refused, 401);
  const token = randomBytes(32).toString("base64url");
  const client = await pool.connect();
  try {
    await client.query("begin");
    await client.query("insert into sessions (token_hash, user_id) values ($1, $2)", [
      digest(token),
      user.id,
    ]);
    await client.query("update users set last_login = now() where id = $1", [user.id]);
    await client.query(
      `insert into login_counts (tenant, day, logins) values ($1, current_date, 1)
       on conflict (tenant, day) do update set logins = login_counts.logins + 1`,
      [tenant],
    );
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    throw error;
  } finally {
    client.release();
  }
  return context.json(data({ accessToken: token, refreshToken: token, roles: user.roles }));
});

/** Somebody returns with their session: it is looked up and touched. */
app.post("/trpc/auth.refresh", async (context) => {
  const { refreshToken } = await context.req.json();
  const { rows } = await pool.query(
    `update sessions set last_seen_at = now() from users
     where token_hash = $1 and expires_at > now() and users.id = user_id returning roles`,
    [digest(refreshToken)],
  );
  if (rows.length === 0) return context.json(refused, 401);
  return context.json(data({ accessToken: refreshToken, refreshToken, roles: rows[0].roles }));
});

app.get("/trpc/people.me", async (context) => {
  const token = context.req.header("authorization")?.replace("Bearer ", "") ?? "";
  const { rows } = await pool.query(
    `select users.id, username, name, roles from sessions join users on users.id = user_id
     where token_hash = $1 and expires_at > now()`,
    [digest(token)],
  );
  if (rows.length === 0) return context.json(refused, 401);
  return context.json(data(rows[0]));
});

const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, ({ port }: AddressInfo) =>
  process.stdout.write(`baseline ready http://127.0.0.1:${port}\n`),
);
process.once("SIGTERM", () => {
  server.close();
  process.exit(0);
});
