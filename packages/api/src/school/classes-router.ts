import {
  CarillonError,
  ClassId,
  ClassProfile,
  classDecider,
  classIdOf,
  instantOf,
  leadsEveryClass,
  MemberRole,
  membershipDecider,
  membershipIdOf,
  personDecider,
  seesEveryClass,
  UserId,
} from "@carillon/domain";
import type { EventLog, Executed } from "@carillon/platform";
import { z } from "zod";
import { type Caller, envelope } from "../http/command-envelope.ts";
import { answer, Page, page, Reading } from "../http/query-freshness.ts";
import { router } from "../http/trpc.ts";
import type { ApiServices } from "../workers/api-services.ts";
import { authorizeInClass } from "./class-access.ts";

export const classesRouter = ({ permitted, eventLog, database }: ApiServices) =>
  router({
    /** Opens a class. A teacher who opens one teaches it. */
    open: permitted("classes.open")
      .input(ClassProfile)
      .mutation(async ({ ctx, input: profile }) => {
        const classId = classIdOf(ctx.tenantId, profile.code);
        const opened = await eventLog.execute(
          classDecider,
          ctx.tenantId,
          classId,
          [envelope(ctx, instantOf(new Date()), { type: "OpenClass", profile })],
          { expectNew: true },
        );
        const position = leadsEveryClass(ctx.actor.roles)
          ? opened.position
          : await letOpenerTeach(eventLog, ctx, classId, opened);
        return { classId, position: String(position) };
      }),

    join: permitted("classes.changeMembers")
      .input(z.object({ classId: ClassId, userId: UserId, as: MemberRole }))
      .mutation(async ({ ctx, input: { classId, userId, as } }) => {
        await authorizeInClass(eventLog, ctx, classId);
        const { tenantId } = ctx;
        const [{ state: opened }, { state: person }] = await Promise.all([
          eventLog.load(classDecider, tenantId, classId),
          eventLog.load(personDecider, tenantId, userId),
        ]);
        const { position } = await eventLog.execute(
          membershipDecider,
          ctx.tenantId,
          membershipIdOf(classId, userId),
          [
            envelope(ctx, instantOf(new Date()), {
              type: "JoinClass",
              classId,
              userId,
              as,
              classOpened: opened !== undefined,
              userEnrolled: person !== undefined,
            }),
          ],
        );
        return { position: String(position) };
      }),

    leave: permitted("classes.changeMembers")
      .input(z.object({ classId: ClassId, userId: UserId }))
      .mutation(async ({ ctx, input: { classId, userId } }) => {
        await authorizeInClass(eventLog, ctx, classId);
        const { position } = await eventLog.execute(
          membershipDecider,
          ctx.tenantId,
          membershipIdOf(classId, userId),
          [envelope(ctx, instantOf(new Date()), { type: "LeaveClass", classId, userId })],
        );
        return { position: String(position) };
      }),

    /** The school's classes by code; a student sees those that he is in. */
    list: permitted("classes.list")
      .input(Reading.prefault({}))
      .query(async ({ ctx: { tenantId, actor }, input }) =>
        answer(
          await database.read(tenantId, { projection: "directory", atLeast: input.atLeast }, async (tx) => {
            let query = tx
              .selectFrom("directory.classes as class")
              .select(["class.class_id", "class.code", "class.title", "class.starts_on", "class.length_days"])
              .orderBy("class.code");
            if (!seesEveryClass(actor.roles)) {
              query = query
                .innerJoin("directory.memberships as membership", "membership.class_id", "class.class_id")
                .where("membership.user_id", "=", actor.sub)
                .where("membership.left_at", "is", null);
            }
            const rows = await query.execute();
            return {
              classes: rows.map((row) => ({
                classId: row.class_id as ClassId,
                code: row.code,
                title: row.title,
                startsOn: row.starts_on,
                lengthDays: row.length_days,
              })),
            };
          }),
        ),
      ),

    /** Who is in a class now, by username. */
    members: permitted("classes.members")
      .input(Page.extend({ classId: ClassId }))
      .query(async ({ ctx, input }) =>
        answer(
          await database.read(
            ctx.tenantId,
            { projection: "directory", atLeast: input.atLeast },
            async (tx) => {
              const known = await tx
                .selectFrom("directory.classes")
                .select("class_id")
                .where("class_id", "=", input.classId)
                .executeTakeFirst();
              if (!known) throw new CarillonError("class_unknown", "There is no such class at this school.");
              const rows = await tx
                .selectFrom("directory.memberships as membership")
                .innerJoin("directory.people as person", "person.user_id", "membership.user_id")
                .select(["person.user_id", "person.username", "person.name"])
                .select(["membership.role", "membership.joined_at"])
                .where("membership.class_id", "=", input.classId)
                .where("membership.left_at", "is", null)
                .where("person.username", ">", input.after ?? "")
                .orderBy("person.username")
                .limit(input.limit + 1)
                .execute();
              const { items, next } = page(rows, input.limit, ({ username }) => username);
              return {
                members: items.map(({ user_id, username, name, role, joined_at }) => ({
                  userId: user_id as UserId,
                  username,
                  name,
                  as: role,
                  joinedAt: instantOf(joined_at),
                })),
                next,
              };
            },
          ),
        ),
      ),
  });

/** Lets who opened a class teach it, once: somebody else who opens it again is not its teacher. Gives the newest position. */
async function letOpenerTeach(
  eventLog: EventLog,
  caller: Caller,
  classId: ClassId,
  opened: Executed<unknown>,
): Promise<bigint> {
  const userId = caller.actor.sub as UserId;
  if (opened.added === 0) {
    let opener: string | undefined;
    for await (const { type, metadata } of eventLog.readStream(opened.stream)) {
      if (type === "ClassOpened") opener = metadata.actor;
    }
    if (opener !== userId) return opened.position;
    const { last } = await eventLog.load(membershipDecider, caller.tenantId, membershipIdOf(classId, userId));
    if (last) return last.position;
  }
  const joined = await eventLog.execute(membershipDecider, caller.tenantId, membershipIdOf(classId, userId), [
    envelope(caller, instantOf(new Date()), {
      type: "JoinClass",
      classId,
      userId,
      as: "teacher",
      classOpened: true,
      userEnrolled: true,
    }),
  ]);
  return joined.position;
}
