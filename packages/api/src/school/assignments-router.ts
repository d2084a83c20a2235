import {
  AssignmentId,
  AssignmentProfile,
  assignmentDecider,
  assignmentIdOf,
  CarillonError,
  ClassId,
  classDecider,
  InstantInput,
  instantOf,
  seesEveryClass,
} from "@carillon/domain";
import { z } from "zod";
import { envelope } from "../http/command-envelope.ts";
import { answer, Reading } from "../http/query-freshness.ts";
import { router } from "../http/trpc.ts";
import type { ApiServices } from "../workers/api-services.ts";
import { authorizeInClass } from "./class-access.ts";

const DueAt = InstantInput.nullable();

export const assignmentsRouter = ({ permitted, eventLog, database }: ApiServices) =>
  router({
    publish: permitted("assignments.publish")
      .input(AssignmentProfile.extend({ classId: ClassId, dueAt: DueAt }))
      .mutation(async ({ ctx, input: { classId, dueAt, ...profile } }) => {
        await authorizeInClass(eventLog, ctx, classId);
        const { state: opened } = await eventLog.load(classDecider, ctx.tenantId, classId);
        const assignmentId = assignmentIdOf(classId, profile.code);
        const at = instantOf(new Date());
        const { position } = await eventLog.execute(assignmentDecider, ctx.tenantId, assignmentId, [
          envelope(ctx, at, {
            type: "PublishAssignment",
            classId,
            classOpened: opened !== undefined,
            profile,
            dueAt,
            at,
          }),
        ]);
        return { assignmentId, position: String(position) };
      }),

    reschedule: permitted("assignments.reschedule")
      .input(z.object({ assignmentId: AssignmentId, dueAt: DueAt }))
      .mutation(async ({ ctx, input: { assignmentId, dueAt } }) => {
        const { state: assignment } = await eventLog.load(assignmentDecider, ctx.tenantId, assignmentId);
        if (assignment) await authorizeInClass(eventLog, ctx, assignment.classId);
        const at = instantOf(new Date());
        const { position } = await eventLog.execute(assignmentDecider, ctx.tenantId, assignmentId, [
          envelope(ctx, at, { type: "RescheduleAssignment", dueAt, at }),
        ]);
        return { position: String(position) };
      }),

    /** A class's assignments, those due first before the others; a student asks for his own classes only. */
    list: permitted("assignments.list")
      .input(Reading.extend({ classId: ClassId }))
      .query(async ({ ctx: { tenantId, actor }, input }) =>
        answer(
          await database.read(tenantId, { projection: "directory", atLeast: input.atLeast }, async (tx) => {
            const known = await tx
              .selectFrom("directory.classes")
              .select("class_id")
              .where("class_id", "=", input.classId)
              .executeTakeFirst();
            if (!known) throw new CarillonError("class_unknown", "There is no such class at this school.");
            const member = await tx
              .selectFrom("directory.memberships")
              .select("role")
              .where("class_id", "=", input.classId)
              .where("user_id", "=", actor.sub)
              .where("left_at", "is", null)
              .executeTakeFirst();
            if (!member && !seesEveryClass(actor.roles)) {
              throw new CarillonError("not_a_member", "You are not in this class.");
            }
            const rows = await tx
              .selectFrom("directory.assignments")
              .selectAll()
              .where("class_id", "=", input.classId)
              .orderBy("due_at", (order) => order.asc().nullsLast())
              .orderBy("code")
              .execute();
            return {
              assignments: rows.map((row) => ({
                assignmentId: row.assignment_id as AssignmentId,
                classId: input.classId,
                code: row.code,
                title: row.title,
                kind: row.kind,
                weight: row.weight,
                latePolicy: row.late_policy,
                graceSeconds: row.grace_seconds,
                counts: row.counts,
                autograded: row.autograded,
                publishedAt: instantOf(row.published_at),
                dueAt: row.due_at && instantOf(row.due_at),
              })),
            };
          }),
        ),
      ),
  });
