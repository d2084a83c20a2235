import { ClassProfile } from "@carillon/domain";
import type { ApiServices } from "../api-services.ts";
import { Reading } from "../http/query-freshness.ts";
import { router } from "../http/trpc.ts";
import { JoinInput, joinClass, LeaveInput, leaveClass, openClass } from "./commands/classes.ts";
import { classes, MembersInput, members } from "./queries/classes.ts";

export const classesRouter = (services: ApiServices) => {
  const { permitted } = services;
  return router({
    /** Opens a class. A teacher who opens one teaches it. */
    open: permitted("classes.open")
      .input(ClassProfile)
      .mutation(({ ctx, input }) => openClass(services, ctx, input)),

    join: permitted("classes.changeMembers")
      .input(JoinInput)
      .mutation(({ ctx, input }) => joinClass(services, ctx, input)),

    leave: permitted("classes.changeMembers")
      .input(LeaveInput)
      .mutation(({ ctx, input }) => leaveClass(services, ctx, input)),

    /** The school's classes by code; a student sees those that they are in. */
    list: permitted("classes.list")
      .input(Reading.prefault({}))
      .query(({ ctx, input }) => classes(services, ctx, input)),

    /** Who is in a class now, by username. */
    members: permitted("classes.members")
      .input(MembersInput)
      .query(({ ctx, input }) => members(services, ctx, input)),
  });
};
