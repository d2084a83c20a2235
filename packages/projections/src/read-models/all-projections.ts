import type { Projection, ProjectionName } from "../rows/projection.ts";
import { credentials } from "./login/credentials/credentials.ts";
import { classProgress } from "./reports/class-progress/class-progress.ts";
import { directory } from "./school/directory/directory.ts";
import { submissionList } from "./submissions/submissions.ts";

/** Every projection there is. */
export const projections: Readonly<Record<ProjectionName, Projection>> = {
  directory,
  submissions: submissionList,
  credentials,
  class_progress: classProgress,
};

/** The projections of these names. Throws for a name that is none, and for two of different databases. */
export function projectionsNamed(names: readonly string[]): Projection[] {
  const found = names.map((name) => {
    const projection = Object.values(projections).find((each) => each.name === name);
    if (!projection)
      throw new Error(`"${name}" is no projection: choose of ${Object.keys(projections).join(", ")}`);
    return projection;
  });
  const databases = new Set(found.map(({ database }) => database));
  if (databases.size > 1)
    throw new Error(`${names.join(" and ")} are in different databases: run one worker each`);
  return found;
}
