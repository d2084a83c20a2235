import type { apiTree } from "./trees/api.ts";
import type { authTree } from "./trees/auth.ts";
import type { reportsTree } from "./trees/reports.ts";
import type { mergeRouters } from "./trpc.ts";

/** Everything that a client can call through the gateway. Each worker serves its own part. */
export type AppRouter = ReturnType<
  typeof mergeRouters<
    [ReturnType<typeof authTree>, ReturnType<typeof apiTree>, ReturnType<typeof reportsTree>]
  >
>;
