import type { Columns, RowOf } from "./columns.ts";
import type { TenantId } from "./ids.ts";
import { credentialsViews } from "./login/credentials-view.ts";
import { classProgressViews } from "./reports/class-progress-view.ts";
import { directoryViews } from "./school/directory-view.ts";
import { submissionViews } from "./submissions/submission-view.ts";

/**
 * What readers see of the read models: the columns of each view, in a schema named as its projection, without the
 * version. Every view has `tenant_id` besides, and shows the rows of the tenant in scope only.
 */
export const views = {
  /** `DATABASE_URL`: what the classroom reads. */
  live: { ...directoryViews, ...submissionViews },
  /** `AUTH_DATABASE_URL`: what a login reads. */
  auth: credentialsViews,
  /** `REPORTS_DATABASE_URL`: what a report reads. */
  reports: classProgressViews,
};

type DatabaseOf<Views extends Readonly<Record<string, Columns>>> = {
  [View in keyof Views & string]: RowOf<Views[View]> & { tenant_id: TenantId };
};

export type LiveDatabase = DatabaseOf<(typeof views)["live"]>;
export type AuthDatabase = DatabaseOf<(typeof views)["auth"]>;
export type ReportsDatabase = DatabaseOf<(typeof views)["reports"]>;
