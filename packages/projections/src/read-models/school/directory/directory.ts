import { rowProjection } from "../../../rows/projection.ts";
import { patch, put } from "../../../rows/row-change.ts";
import { rowTable } from "../../../rows/row-table.ts";
import { idOf } from "../../../rows/stream-id.ts";

const tenants = rowTable(
  "directory_v2.tenants",
  {
    slug: "text",
    name: "text",
    region: "text",
    tier: "text",
    time_zone: "text",
    locale: "text",
    branding: "jsonb",
  },
  0,
);

const people = rowTable(
  "directory_v2.people",
  { user_id: "uuid", username: "text", name: "text", email: "text", roles: "text[]" },
  1,
);

const classes = rowTable(
  "directory_v2.classes",
  { class_id: "uuid", code: "text", title: "text", starts_on: "date", length_days: "integer" },
  1,
);

const memberships = rowTable(
  "directory_v2.memberships",
  { class_id: "uuid", user_id: "uuid", role: "text", joined_at: "timestamptz", left_at: "timestamptz" },
  2,
);

const assignments = rowTable(
  "directory_v2.assignments",
  {
    assignment_id: "uuid",
    class_id: "uuid",
    code: "text",
    title: "text",
    kind: "text",
    weight: "double precision",
    late_policy: "jsonb",
    grace_seconds: "integer",
    counts: "text",
    autograded: "boolean",
    published_at: "timestamptz",
    due_at: "timestamptz",
  },
  1,
);

const joined = (class_id: string, user_id: string, role: "student" | "teacher", joined_at: string) =>
  put(memberships, { class_id, user_id, role, joined_at, left_at: null });

const left = (class_id: string, user_id: string, left_at: string) =>
  patch(memberships, { class_id, user_id }, { left_at });

/** The school, its people, classes, memberships and assignments. */
export const directory = rowProjection(
  { name: "directory", version: 2, database: "live" },
  {
    TenantEnrolled: ({ data: { timeZone, ...data } }) => put(tenants, { ...data, time_zone: timeZone }),
    UserEnrolled: (event) => put(people, { user_id: idOf(event), ...event.data }),
    UserRolesAssigned: (event) => patch(people, { user_id: idOf(event) }, { roles: event.data.roles }),
    ClassOpened: (event) => {
      const { code, title, startsOn, lengthDays } = event.data;
      return put(classes, {
        class_id: idOf(event),
        code,
        title,
        starts_on: startsOn,
        length_days: lengthDays,
      });
    },
    StudentJoinedClass: ({ data, metadata }) =>
      joined(data.classId, data.studentId, "student", metadata.occurredAt),
    TeacherJoinedClass: ({ data, metadata }) =>
      joined(data.classId, data.teacherId, "teacher", metadata.occurredAt),
    StudentLeftClass: ({ data, metadata }) => left(data.classId, data.studentId, metadata.occurredAt),
    TeacherLeftClass: ({ data, metadata }) => left(data.classId, data.teacherId, metadata.occurredAt),
    AssignmentPublished: (event) => {
      const { classId, code, title, kind, weight, latePolicy, graceSeconds, counts, answerKey, dueAt } =
        event.data;
      return put(assignments, {
        assignment_id: idOf(event),
        class_id: classId,
        code,
        title,
        kind,
        weight,
        late_policy: latePolicy,
        grace_seconds: graceSeconds,
        counts,
        // Students read this view: never the key itself.
        autograded: answerKey !== null,
        published_at: event.metadata.occurredAt,
        due_at: dueAt,
      });
    },
    AssignmentRescheduled: (event) =>
      patch(assignments, { assignment_id: idOf(event) }, { due_at: event.data.dueAt }),
  },
);
