import { mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import pMap from "p-map";
import { databaseAt, withClient } from "../../harness/postgres-client.ts";
import { startServer } from "../../harness/processes.ts";
import { quiz } from "../answers.ts";
import { digestOf, nameOf } from "../hand-in.ts";
import type { Acknowledged } from "../in-the-log.ts";
import type { Schools } from "../schools.ts";
import { baselineSchema } from "./baseline-schema.ts";
import { baselineToken, tokenDigest } from "./baseline-school.ts";
import type { Side, Verdict } from "./side.ts";

const readsInFlight = 64;

/**
 * Starts the baseline with the schools enrolled, in a database of its own.
 *
 * @param postgres the superuser's address of a Postgres, and its process
 */
export async function startBaseline(
  folder: string,
  { classes, students }: Schools,
  postgres: { url: string; pid: () => number },
): Promise<Side> {
  const url = databaseAt(postgres.url, "baseline");
  const files = join(folder, "baseline-files");
  mkdirSync(files);
  await withClient(postgres.url, (client) => client.query("create database baseline"));
  await withClient(url, async (client) => {
    await client.query(baselineSchema);
    const ids = students.map(({ id }) => id);
    await client.query(
      "insert into users (id, tenant_id, username) select * from unnest($1::uuid[], $2::uuid[], $3::text[])",
      [
        ids,
        students.map(({ schoolClass }) => schoolClass.tenantId),
        students.map(({ username }) => username),
      ],
    );
    await client.query(
      "insert into sessions (token_hash, user_id) select * from unnest($1::bytea[], $2::uuid[])",
      [ids.map((studentId) => tokenDigest(baselineToken({ studentId }))), ids],
    );
    await client.query(
      "insert into members (class_id, user_id) select * from unnest($1::uuid[], $2::uuid[])",
      [students.map(({ schoolClass }) => schoolClass.classId), ids],
    );
    for (const { tenantId, classId, assignments } of classes) {
      await client.query(
        `insert into assignments (id, tenant_id, class_id, due_at, answer_key)
         select id, $2, $3, now() + interval '1 day', $4 from unnest($1::uuid[]) as id`,
        [assignments.map(({ id }) => id), tenantId, classId, JSON.stringify(quiz("any").answerKey)],
      );
    }
    await client.query("vacuum analyze");
  });
  const server = await startServer(join(import.meta.dirname, "baseline-server.ts"), [url, files]);
  return {
    url: server.url,
    pids: () => ({ server: server.pid, postgres: postgres.pid() }),
    judge: (acknowledged) => judge(url, files, acknowledged),
    stop: () => server.stop(),
  };
}

async function judge(url: string, files: string, acknowledged: readonly Acknowledged[]): Promise<Verdict> {
  const { rows } = await withClient(url, (client) =>
    client.query("select id, assignment_id, student_id, key, sha256 from submissions"),
  );
  const found = new Map<string, { id: string; sha256: string }[]>();
  for (const { id, assignment_id, student_id, key, sha256 } of rows) {
    const name = nameOf({ assignmentId: assignment_id, studentId: student_id, key });
    found.set(name, [...(found.get(name) ?? []), { id, sha256 }]);
  }
  let lost = 0;
  const check = async ({ handIn, sha256 }: Acknowledged) => {
    const row = found.get(nameOf(handIn))?.find((submission) => submission.sha256 === sha256);
    const promised = digestOf(handIn.content) === sha256;
    const stored = promised && row ? await readFile(join(files, row.id)).catch(() => undefined) : undefined;
    if (!stored?.equals(handIn.content)) lost++;
  };
  await pMap(acknowledged, check, { concurrency: readsInFlight });
  return { lost, duplicated: [...found.values()].filter((rows) => rows.length > 1).length };
}
