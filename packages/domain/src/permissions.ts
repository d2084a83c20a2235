import { CarillonError } from "./errors.ts";
import type { Role } from "./person.ts";

/** Who may do what: the one place that says so. `operator` runs the platform and belongs to no school. */
export const permissions = {
  "tenants.enroll": ["operator"],
  "people.enroll": ["admin", "operator"],
  "people.assignRoles": ["admin", "operator"],
  "people.list": ["teacher", "admin", "auditor", "operator"],
  "people.me": ["student", "teacher", "admin", "auditor"],
  "classes.open": ["teacher", "admin", "operator"],
  "classes.changeMembers": ["teacher", "admin", "operator"],
  "classes.list": ["student", "teacher", "admin", "auditor", "operator"],
  "classes.members": ["teacher", "admin", "auditor", "operator"],
  "assignments.publish": ["teacher", "admin", "operator"],
  "assignments.reschedule": ["teacher", "admin", "operator"],
  "assignments.list": ["student", "teacher", "admin", "auditor", "operator"],
  "submissions.submit": ["student"],
  "submissions.mine": ["student"],
  "submissions.list": ["teacher", "admin", "auditor", "operator"],
  "submissions.grade": ["teacher", "admin"],
  "reports.classProgress": ["teacher", "admin", "auditor", "operator"],
} as const satisfies Record<string, readonly Role[]>;

export type Action = keyof typeof permissions;

/** Whether one of `roles` may do `action`. */
export const may = (roles: readonly Role[], action: Action): boolean => {
  const allowed: readonly Role[] = permissions[action];
  return roles.some((role) => allowed.includes(role));
};

/** Throws `forbidden` unless one of `roles` may do `action`. */
export function authorize(roles: readonly Role[], action: Action): void {
  if (may(roles, action)) return;
  throw new CarillonError("forbidden", `This needs one of the roles: ${permissions[action].join(", ")}.`);
}
