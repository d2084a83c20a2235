import {
  type AssignmentId,
  type AssignmentState,
  assignmentDecider,
  CarillonError,
  type ClassId,
  type SubmissionFacts,
  type TenantId,
  type UserId,
} from "@carillon/domain";
import { type Database, type EventLog, type LiveDatabase, singleFlight } from "@carillon/platform";
import { batchedLookup } from "../load/batched-lookup.ts";
import { membershipOf } from "../school/class-access.ts";

/** What has to be known of an assignment and a student before work is taken. */
export interface HandInFacts {
  /**
   * As it was a moment ago, for a crowd at little cost: the assignment at most a second old, a membership as the view has
   * it. Enough to take work by; nobody may be turned away by it.
   */
  recent(tenantId: TenantId, assignmentId: AssignmentId, studentId: UserId): Promise<SubmissionFacts>;
  /** As the log has it now. */
  newest(tenantId: TenantId, assignmentId: AssignmentId, studentId: UserId): Promise<SubmissionFacts>;
}

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

  const pair = (classId: string, userId: string) => `${classId}/${userId}`;
  const studentInView = batchedLookup(database, async (tx, pairs: readonly string[]) => {
    const [classIds, userIds] = [0, 1].map((part) => [
      ...new Set(pairs.map((one) => one.split("/")[part] ?? "")),
    ]);
    const rows = await tx
      .selectFrom("directory.memberships")
      .select(["class_id", "user_id"])
      .where("class_id", "in", classIds ?? [])
      .where("user_id", "in", userIds ?? [])
      .where("role", "=", "student")
      .where("left_at", "is", null)
      .execute();
    return new Map(rows.map(({ class_id, user_id }) => [pair(class_id, user_id), true]));
  });

  const recentMembership = async (tenantId: TenantId, classId: ClassId, studentId: UserId) => {
    const inView = await studentInView(tenantId, pair(classId, studentId)).catch((error: unknown) => {
      if (error instanceof CarillonError && error.code === "unavailable") return undefined;
      throw error;
    });
    return inView ? ("student" as const) : membershipOf(eventLog, tenantId, classId, studentId);
  };

  const facts =
    (assignmentOf: typeof newestAssignment, membership: typeof recentMembership): HandInFacts["newest"] =>
    async (tenantId, assignmentId, studentId) => {
      const assignment = await assignmentOf(tenantId, assignmentId);
      return {
        assignmentId,
        studentId,
        assignment,
        membership: assignment ? await membership(tenantId, assignment.classId, studentId) : undefined,
      };
    };

  return {
    recent: facts(recentAssignment, recentMembership),
    newest: facts(newestAssignment, (tenantId, classId, studentId) =>
      membershipOf(eventLog, tenantId, classId, studentId),
    ),
  };
}
