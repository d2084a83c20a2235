import type { AppRouter } from "@carillon/api";
import type { Operation } from "@trpc/client";
import type { inferRouterInputs } from "@trpc/server";

type Inputs = inferRouterInputs<AppRouter>;
/** The path of a procedure, such as `submissions.submit`. */
type Path = { [Router in keyof Inputs & string]: `${Router}.${keyof Inputs[Router] & string}` }[keyof Inputs &
  string];

/**
 * The mutations that do no more when they are sent twice: ids come from what the input names, an answer that was lost
 * is given again. A new mutation is added here if that holds for it.
 */
const repeatable: readonly Path[] = [
  // A second login is a second session, which nobody uses; it ends by itself.
  "auth.login",
  // For half a minute the token before the newest gives the newest again.
  "auth.refresh",
  // A session that has ended stays so.
  "auth.logout",
  "auth.logoutEverywhere",
  "tenants.enroll",
  "tenants.setBellTimes",
  "people.enroll",
  "people.assignRoles",
  "classes.open",
  "classes.join",
  "assignments.publish",
  "submissions.submit",
  "submissions.commit",
  "submissions.received",
  "submissions.grade",
];

/** Whether a call may be sent again when nobody knows what became of it. */
export const isRepeatable = ({ type, path }: Pick<Operation, "type" | "path">): boolean =>
  type === "query" || (type === "mutation" && (repeatable as readonly string[]).includes(path));
