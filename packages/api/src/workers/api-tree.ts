import type { ApiServices } from "../api-services.ts";
import { router } from "../http/trpc.ts";
import { assignmentsRouter } from "../school/assignments-router.ts";
import { classesRouter } from "../school/classes-router.ts";
import { peopleRouter } from "../school/people-router.ts";
import { tenantsRouter } from "../school/tenants-router.ts";
import { submissionsRouter } from "../submissions/submissions-router.ts";

/** What the worker `api` serves. */
export const apiTree = (services: ApiServices) =>
  router({
    tenants: tenantsRouter(services),
    people: peopleRouter(services),
    classes: classesRouter(services),
    assignments: assignmentsRouter(services),
    submissions: submissionsRouter(services),
  });
