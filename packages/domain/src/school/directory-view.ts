import { column } from "../columns.ts";
import type { AssignmentId, ClassId, UserId } from "../ids.ts";
import type { CountingAttempt, LatePolicy } from "./assignment.ts";
import type { MemberRole } from "./membership.ts";
import type { Role } from "./person.ts";
import type { TenantProfile } from "./tenant.ts";

/** The school itself: a single row. */
export const tenantColumns = {
  name: column.text(),
  slug: column.text(),
  region: column.text(),
  tier: column.text<TenantProfile["tier"]>(),
  timeZone: column.text(),
  locale: column.text(),
  branding: column.json<TenantProfile["branding"]>(),
};

export const personColumns = {
  userId: column.uuid<UserId>(),
  username: column.text(),
  name: column.text(),
  email: column.orNull(column.text()),
  roles: column.texts<Role>(),
};

export const classColumns = {
  classId: column.uuid<ClassId>(),
  code: column.text(),
  title: column.text(),
  startsOn: column.day(),
  lengthDays: column.integer(),
};

export const membershipColumns = {
  classId: column.uuid<ClassId>(),
  userId: column.uuid<UserId>(),
  role: column.text<MemberRole>(),
  joinedAt: column.instant(),
  leftAt: column.orNull(column.instant()),
};

export const assignmentColumns = {
  assignmentId: column.uuid<AssignmentId>(),
  classId: column.uuid<ClassId>(),
  code: column.text(),
  title: column.text(),
  kind: column.text(),
  weight: column.number(),
  latePolicy: column.json<LatePolicy>(),
  /** Work that comes so many seconds after `dueAt` is in time. */
  graceSeconds: column.integer(),
  counts: column.text<CountingAttempt>(),
  /** Whether a program marks the answers. The key itself is not here. */
  autograded: column.boolean(),
  publishedAt: column.instant(),
  dueAt: column.orNull(column.instant()),
};

/** The school, its people, classes, memberships and assignments. */
export const directoryViews = {
  "directory.tenants": tenantColumns,
  "directory.people": personColumns,
  "directory.classes": classColumns,
  "directory.memberships": membershipColumns,
  "directory.assignments": assignmentColumns,
};
