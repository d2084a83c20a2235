import type { ApiServices } from "../api-services.ts";
import { assignmentsRouter } from "../routers/assignments.ts";
import { classesRouter } from "../routers/classes.ts";
import { peopleRouter } from "../routers/people.ts";
import { submissionsRouter } from "../routers/submissions.ts";
import { tenantsRouter } from "../routers/tenants.ts";
import { router } from "../trpc.ts";

/** What the worker `api` serves. */
export const apiTree = (services: ApiServices) =>
  router({
    tenants: tenantsRouter(services),
    people: peopleRouter(services),
    classes: classesRouter(services),
    assignments: assignmentsRouter(services),
    submissions: submissionsRouter(services),
  });
