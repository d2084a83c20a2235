import { databaseAt, withClient } from "../../harness/postgres-client.ts";
import { nameOf } from "../hand-in.ts";
import type { LoggedHandIns } from "../in-the-log.ts";

/**
 * Counts the hand-ins of which the read model `submissions` says something else than the log: those that it lacks, has
 * twice, or has otherwise.
 *
 * @param postgresUrl the superuser's, who sees every tenant
 */
export async function countReadModelWrong(postgresUrl: string, logged: LoggedHandIns): Promise<number> {
  const { rows } = await withClient(databaseAt(postgresUrl, "carillon_live"), (client) =>
    client.query(
      `select assignment_id as "assignmentId", student_id as "studentId", key, sha256,
         handed_in_at as at, late, received_at is not null as received, score
       from submissions.submissions`,
    ),
  );
  const wanted = new Map(
    [...logged].map(([name, { commits, received, scores }]) => {
      const [commit] = commits;
      return [name, [commit?.sha256, commit?.at, commit?.late, received > 0, scores.at(-1) ?? null].join()];
    }),
  );
  let wrong = 0;
  for (const row of rows) {
    const name = nameOf(row);
    const said = [row.sha256, row.at.toISOString(), row.late, row.received, row.score].join();
    if (wanted.get(name) !== said) wrong++;
    wanted.delete(name);
  }
  return wrong + wanted.size;
}
