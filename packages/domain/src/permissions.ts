import { CarillonError } from "./errors.ts";
import type { Role } from "./school/person.ts";

/** Who may do what: the one place that says so. `operator` runs the platform and belongs to no school. */
export const permissions = {
  "tenants.enroll": ["operator"],
  "tenants.setBellTimes": ["admin", "operator"],
  "sessions.own": ["student", "teacher", "admin", "auditor"],
  "sessions.revoke": ["admin", "operator"],
  "people.resetPassword": ["admin", "operator"],
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
  "submissions.receipt": ["student", "teacher", "admin", "auditor", "operator"],
  "submissions.content": ["student", "teacher", "admin"],
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

/** Who may give each role to somebody; a role that is not here, anybody who may enroll people. */
const granters: Partial<Record<Role, readonly Role[]>> = {
  operator: ["operator"],
  admin: ["admin", "operator"],
};

/** Throws `forbidden` unless somebody with the roles `own` may make somebody have the roles `granted`. */
export function authorizeGrant(own: readonly Role[], granted: readonly Role[]): void {
  for (const role of granted) {
    const needed = granters[role];
    if (!needed || own.some((mine) => needed.includes(mine))) continue;
    throw new CarillonError(
      "forbidden",
      `To make somebody ${role} needs one of the roles: ${needed.join(", ")}.`,
    );
  }
}

/** Whether somebody acts in every class of the school; others act only in the classes that they teach. */
export const leadsEveryClass = (roles: readonly Role[]): boolean =>
  roles.some((role) => role === "admin" || role === "operator");

/** Whether somebody sees every class of the school; a student sees only their own. */
export const seesEveryClass = (roles: readonly Role[]): boolean => roles.some((role) => role !== "student");
