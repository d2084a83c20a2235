import { createHash, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { hash } from "@node-rs/bcrypt";
import { databaseAt, withClient } from "../harness/postgres-client.ts";
import { startServer } from "../harness/processes.ts";
import { baselineSchema } from "./baseline-schema.ts";
import { isReturning, password, slug, usernameOf } from "./school.ts";
import type { Side } from "./side.ts";

export interface Baseline extends Side {
  stop(): Promise<void>;
}

/**
 * Starts the baseline with `students` enrolled, in a database of its own.
 *
 * @param postgres the superuser's address of a Postgres, and its process
 */
export async function startBaseline(
  folder: string,
  students: number,
  postgres: { url: string; pid: () => number },
): Promise<Baseline> {
  const url = databaseAt(postgres.url, "baseline");
  await withClient(postgres.url, (client) => client.query("create database baseline"));
  const tokens = Array.from({ length: students }, (_, student) =>
    isReturning(student) ? randomBytes(32).toString("base64url") : null,
  );
  await withClient(url, async (client) => {
    await client.query(baselineSchema);
    await client.query(
      `insert into users (tenant, username, name, roles, password_hash)
       select $1, username, username, array['student'], $2 from unnest($3::text[]) as username`,
      [slug, await hash(password, { cost: 10 }), tokens.map((_, student) => usernameOf(student))],
    );
    const returning = tokens.flatMap((token, student) => (token === null ? [] : [{ token, student }]));
    await client.query(
      `insert into sessions (token_hash, user_id)
       select token_hash, id from unnest($1::bytea[], $2::text[]) as given (token_hash, username)
       join users using (username)`,
      [
        returning.map(({ token }) => createHash("sha256").update(token).digest()),
        returning.map(({ student }) => usernameOf(student)),
      ],
    );
    await client.query("vacuum analyze");
  });
  const file = join(folder, "baseline-tokens.json");
  writeFileSync(file, JSON.stringify(tokens));
  const server = await startServer(join(import.meta.dirname, "baseline-server.ts"), [url]);
  return {
    url: server.url,
    tokens: file,
    pids: () => ({ server: server.pid, postgres: postgres.pid() }),
    stop: () => server.stop(),
  };
}
