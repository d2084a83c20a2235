import type { ClassId, Instant, MemberRole, UserId } from "@carillon/domain";
import { rowProjection } from "../../../rows/projection.ts";
import { patch, put } from "../../../rows/row-change.ts";
import { idOf } from "../../../rows/stream-id.ts";
import { assignments, classes, memberships, people, tenants, version } from "./directory-tables.ts";

const joined = (classId: ClassId, userId: UserId, role: MemberRole, joinedAt: Instant) =>
  put(memberships, { classId, userId, role, joinedAt, leftAt: null });

const left = (classId: ClassId, userId: UserId, leftAt: Instant) =>
  patch(memberships, { classId, userId }, { leftAt });

/** The school, its people, classes, memberships and assignments. */
export const directory = rowProjection(
  { name: "directory", version, database: "live" },
  {
    TenantEnrolled: ({ data }) => put(tenants, data),
    UserEnrolled: (event) => put(people, { ...event.data, userId: idOf(event) }),
    UserRolesAssigned: (event) => patch(people, { userId: idOf(event) }, { roles: event.data.roles }),
    ClassOpened: (event) => put(classes, { ...event.data, classId: idOf(event) }),
    StudentJoinedClass: ({ data, metadata }) =>
      joined(data.classId, data.studentId, "student", metadata.occurredAt),
    TeacherJoinedClass: ({ data, metadata }) =>
      joined(data.classId, data.teacherId, "teacher", metadata.occurredAt),
    StudentLeftClass: ({ data, metadata }) => left(data.classId, data.studentId, metadata.occurredAt),
    TeacherLeftClass: ({ data, metadata }) => left(data.classId, data.teacherId, metadata.occurredAt),
    AssignmentPublished: (event) => {
      // Students read this view: never the key itself.
      const { answerKey, ...published } = event.data;
      return put(assignments, {
        ...published,
        assignmentId: idOf(event),
        autograded: answerKey !== null,
        publishedAt: event.metadata.occurredAt,
      });
    },
    AssignmentRescheduled: (event) =>
      patch(assignments, { assignmentId: idOf(event) }, { dueAt: event.data.dueAt }),
  },
);
