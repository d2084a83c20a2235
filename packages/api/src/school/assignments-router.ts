import type { ApiServices } from "../api-services.ts";
import { router } from "../http/trpc.ts";
import {
  PublishInput,
  publishAssignment,
  RescheduleInput,
  rescheduleAssignment,
} from "./commands/assignments.ts";
import { AssignmentsInput, assignments } from "./queries/assignments.ts";

export const assignmentsRouter = (services: ApiServices) => {
  const { permitted } = services;
  return router({
    publish: permitted("assignments.publish")
      .input(PublishInput)
      .mutation(({ ctx, input }) => publishAssignment(services, ctx, input)),

    reschedule: permitted("assignments.reschedule")
      .input(RescheduleInput)
      .mutation(({ ctx, input }) => rescheduleAssignment(services, ctx, input)),

    /** A class's assignments, those due first before the others; a student asks for their own classes only. */
    list: permitted("assignments.list")
      .input(AssignmentsInput)
      .query(({ ctx, input }) => assignments(services, ctx, input)),
  });
};
