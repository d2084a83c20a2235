import type { mergeRouters } from "./http/trpc.ts";
import type { apiTree } from "./workers/api-tree.ts";
import type { authTree } from "./workers/auth-tree.ts";
import type { reportsTree } from "./workers/reports-tree.ts";

/** Everything that a client can call through the gateway. Each worker serves its own part. */
export type AppRouter = ReturnType<
  typeof mergeRouters<
    [ReturnType<typeof authTree>, ReturnType<typeof apiTree>, ReturnType<typeof reportsTree>]
  >
>;
