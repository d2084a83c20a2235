import {
  type AssignmentId,
  type AssignmentState,
  assignmentDecider,
  CarillonError,
  type ClassId,
  type LiveDatabase,
  type SubmissionFacts,
  type TenantId,
  type UserId,
} from "@carillon/domain";
import { type Database, type EventLog, type FactsProvider, singleFlight } from "@carillon/platform";
import { batchedLookup } from "../load/batched-lookup.ts";
import { membershipOf } from "../school/class-access.ts";

/**
 * What has to be known of an assignment and a student before work is taken. The recent facts are for a crowd: the
 * assignment is at most a second old, a membership as the view has it.
 */
export type HandInFacts = (
  tenantId: TenantId,
  assignmentId: AssignmentId,
  studentId: UserId,
) => FactsProvider<SubmissionFacts>;

interface Member {
  readonly classId: ClassId;
  readonly userId: UserId;
}

const memberName = ({ classId, userId }: Member) => `${classId}/${userId}`;

const recentMs = 1_000;
const maxAssignments = 10_000;

export function openHandInFacts({
  eventLog,
  database,
}: {
  eventLog: EventLog;
  database: Pick<Database<LiveDatabase>, "withTenant">;
}): HandInFacts {
  const askRecently = singleFlight<AssignmentState>({
    max: maxAssignments,
    joinMs: recentMs,
    keptMs: recentMs,
  });

  const newestAssignment = async (tenantId: TenantId, assignmentId: AssignmentId) =>
    (await eventLog.load(assignmentDecider, tenantId, assignmentId)).state;

  const recentAssignment = (tenantId: TenantId, assignmentId: AssignmentId) =>
    askRecently(`${tenantId}/${assignmentId}`, () => newestAssignment(tenantId, assignmentId));

  const studentInView = batchedLookup(
    database,
    async (tx, members: readonly Member[]) => {
      const rows = await tx
        .selectFrom("directory.memberships")
        .select(["class_id as classId", "user_id as userId"])
        .where("class_id", "in", [...new Set(members.map(({ classId }) => classId))])
        .where("user_id", "in", [...new Set(members.map(({ userId }) => userId))])
        .where("role", "=", "student")
        .where("left_at", "is", null)
        .execute();
      return new Map(rows.map((row) => [memberName(row), true]));
    },
    memberName,
  );

  const recentMembership = async (tenantId: TenantId, classId: ClassId, studentId: UserId) => {
    const inView = await studentInView(tenantId, { classId, userId: studentId }).catch((error: unknown) => {
      if (error instanceof CarillonError && error.code === "unavailable") return undefined;
      throw error;
    });
    return inView ? ("student" as const) : membershipOf(eventLog, tenantId, classId, studentId);
  };

  const newestMembership = (tenantId: TenantId, classId: ClassId, studentId: UserId) =>
    membershipOf(eventLog, tenantId, classId, studentId);

  return (tenantId, assignmentId, studentId) => {
    const facts = async (assignmentOf: typeof newestAssignment, membershipIn: typeof newestMembership) => {
      const assignment = await assignmentOf(tenantId, assignmentId);
      const membership = assignment && (await membershipIn(tenantId, assignment.classId, studentId));
      return { assignmentId, studentId, assignment, membership };
    };
    return {
      recent: () => facts(recentAssignment, recentMembership),
      newest: () => facts(newestAssignment, newestMembership),
    };
  };
}
