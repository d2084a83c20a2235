import type { ApiServices } from "../api-services.ts";
import { Page } from "../http/query-freshness.ts";
import { router } from "../http/trpc.ts";
import { AssignRolesInput, assignRoles, EnrollInput, enrollPerson } from "./commands/people.ts";
import { me, people } from "./queries/people.ts";

export const peopleRouter = (services: ApiServices) => {
  const { permitted } = services;
  return router({
    /**
     * Enrolls somebody. Enrolling them again as they are changes nothing, not even their password. Throws
     * `password_weak` for a password that is easily guessed.
     */
    enroll: permitted("people.enroll")
      .input(EnrollInput)
      .mutation(({ ctx, input }) => enrollPerson(services, ctx, input)),

    /** Gives somebody roles, in place of those that they had. */
    assignRoles: permitted("people.assignRoles")
      .input(AssignRolesInput)
      .mutation(({ ctx, input }) => assignRoles(services, ctx, input)),

    /** The school's people by username. */
    list: permitted("people.list")
      .input(Page.prefault({}))
      .query(({ ctx, input }) => people(services, ctx, input)),

    /** Who the caller is, from their own stream: never behind, also a second after they were enrolled. */
    me: permitted("people.me").query(({ ctx }) => me(services, ctx)),
  });
};
